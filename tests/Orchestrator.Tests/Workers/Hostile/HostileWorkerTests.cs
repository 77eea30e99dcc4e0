namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>One worker of four does whatever it likes: every client gets the right answer all the same, and nobody else is punished for it.</summary>
public sealed class HostileWorkerTests(HostileLab lab) : IClassFixture<HostileLab>
{
    public static TheoryData<string> Parts => [.. HostileLab.Parts.Select(part => part.Name)];

    [Theory]
    [MemberData(nameof(Parts))]
    public async Task Post_OneWorkerIsHostile_EveryAnswerIsTheTexts(string part)
    {
        var report = await lab.PlayAsync(part);
        TestContext.Current.TestOutputHelper?.WriteLine(report.Summary);
        Assert.True(report.Faults.Count == 0, $"{report.Summary}\n{string.Join('\n', report.Faults.Take(20))}");
    }
}
