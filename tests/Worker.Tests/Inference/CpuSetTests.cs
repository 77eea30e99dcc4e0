using CsCheck;
using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

public sealed class CpuSetTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("0", new[] { 0 })]
    [InlineData("3,1", new[] { 1, 3 })]
    [InlineData("0,2-4, 3", new[] { 0, 2, 3, 4 })]
    [InlineData("1023", new[] { 1023 })]
    public void Parse_List_CoresInOrder(string text, int[] expected) => Assert.Equal(expected, CpuSet.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("-1")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("0,")]
    [InlineData("1024")]
    [InlineData("0-99999999999")]
    public void Parse_NoList_IsNull(string text) => Assert.Null(CpuSet.Parse(text));

    [Theory]
    [InlineData("#0", 0)]
    [InlineData(" #12", 12)]
    [InlineData("#1024", null)]
    [InlineData("#", null)]
    [InlineData("#-1", null)]
    [InlineData("1", null)]
    public void Place_Text_ItsNumberOrNull(string text, int? expected) => Assert.Equal(expected, CpuSet.Place(text));

    [Theory]
    [InlineData(0, new[] { 3 }, 3)]
    [InlineData(1, new[] { 3 }, 3)]
    [InlineData(1, new[] { 0, 2 }, 2)]
    [InlineData(4, new[] { 0, 2, 5 }, 2)]
    public void At_Place_BeginsAgainAfterTheLast(int place, int[] cores, int expected) => Assert.Equal(expected, CpuSet.At(place, cores));

    [Fact]
    public void Describe_AnyCores_IsReadBack() =>
        Gen.Int[0, CpuSet.MaxCore].Array[1, 20].Sample(cores =>
        {
            int[] sorted = [.. cores.Distinct().Order()];
            Assert.Equal(sorted, CpuSet.Parse(CpuSet.Describe(sorted)));
        });

    [Fact]
    public async Task Gate_WithCores_ComputesThere()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var core = CpuSet.Allowed()[^1];
        using var gate = new InferenceGate(cores: [core]);

        Assert.Equal([core], await gate.TryRun(CpuSet.Allowed, Cancellation)!);
        Assert.Equal(Environment.ProcessorCount, await Task.Factory.StartNew(
            () => CpuSet.Allowed().Count, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }
}
