using System.Text;
using Lab.Bench.Load;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Bench.Tests.Load;

public sealed class AnswerReaderTests
{
    private const string Good =
        """{"request_id":"01a20e67-4208-77ea-930d-5cf6e41820a8","worker":"worker-1","attempts":1,"batch_size":2,"queue_ms":6.2,"inference_ms":8.3,"input_text":"I \"loved\" it – véry","truncated":false,"label":"POSITIVE","probabilities":[0.25,0.75]}""";

    private static readonly Text Sent = new("I \"loved\" it – véry");

    [Fact]
    public void Read_GoodAnswer_HasNoFault()
    {
        var (answer, fault) = Read(Good);

        Assert.Null(fault);
        Assert.Equal(("worker-1", 1, 2, 6.2, 8.3, "POSITIVE"), (answer!.Worker, answer.Attempts, answer.BatchSize, answer.QueueMs, answer.InferenceMs, answer.Label));
    }

    [Fact]
    public void Read_MoreMembers_AreLeftAlone() => Assert.Null(Read(Good.Replace("{\"request_id\"", "{\"later\":{\"a\":[1]},\"request_id\"")).Fault);

    [Theory]
    [InlineData("\"attempts\":1,", "", "lacks Attempts")]
    [InlineData("\"truncated\":false,", "", "lacks Truncated")]
    [InlineData("loved", "hated", "another text")]
    [InlineData("\"attempts\":1", "\"attempts\":0", "at least 1")]
    [InlineData("\"queue_ms\":6.2", "\"queue_ms\":-1", "negative")]
    [InlineData("0.25,0.75", "0.25,0.25", "add up to 0.5")]
    [InlineData("0.25,0.75", "-1,2", "no probability")]
    [InlineData("\"label\":\"POSITIVE\"", "\"label\":\"\"", "empty")]
    [InlineData("01a20e67-4208", "nonsense", "cannot be read")]
    [InlineData("]}", "", "cannot be read")]
    public void Read_Fault_IsTold(string good, string bad, string told) => Assert.Contains(told, Read(Good.Replace(good, bad)).Fault);

    [Theory]
    [InlineData("MultiLabel", "\"probabilities\":[0.75,0.75],\"labels\":[]", null)]
    [InlineData("MultiLabel", "\"probabilities\":[0.25,0.75]", "lacks Labels")]
    [InlineData("MultiLabel", "\"probabilities\":[1.5,0.75],\"labels\":[]", "no probability")]
    [InlineData("Regression", "\"probabilities\":[-3.25]", null)]
    [InlineData("Regression", "\"probabilities\":[1e39]", "no probability")]
    [InlineData("SingleLabel", "\"probabilities\":[0.25]", null)]
    [InlineData("SingleLabel", "\"probabilities\":[-0.25]", "no probability")]
    public void Read_ScoresOfEachKindOfModel_AreCheckedAsSuch(string problem, string scores, string? told)
    {
        var answer = Encoding.UTF8.GetBytes(Good.Replace("\"probabilities\":[0.25,0.75]", scores));

        var (_, fault) = AnswerReader.Read(answer, Sent, 0.05, Enum.Parse<ProblemType>(problem));

        if (told is null) Assert.Null(fault);
        else Assert.Contains(told, fault);
    }

    [Fact]
    public void Read_NoJson_IsTold() => Assert.Contains("cannot be read", Read("Hello").Fault);

    [Theory]
    [InlineData("POSITIVE", null, null)]
    [InlineData("NEGATIVE", null, "known is NEGATIVE")]
    [InlineData("POSITIVE", 0.74f, null)]
    [InlineData("POSITIVE", 0.6f, "known is 0.6")]
    public void Read_KnownAnswer_IsCompared(string label, float? probability, string? told)
    {
        var text = new Text(Sent.Value) { Known = new(label, probability is { } known ? [1 - known, known] : null) };

        var (_, fault) = AnswerReader.Read(Encoding.UTF8.GetBytes(Good), text, 0.05);

        if (told is null) Assert.Null(fault);
        else Assert.NotNull(fault);
    }

    private static (Answer? Answer, string? Fault) Read(string json) => AnswerReader.Read(Encoding.UTF8.GetBytes(json), Sent, 0.05);
}
