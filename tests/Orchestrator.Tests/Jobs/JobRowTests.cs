using Lab.Orchestrator.Jobs;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class JobRowTests
{
    [Theory]
    [InlineData("""{"label":"B","probabilities":[0.5,0.75],"labels":["B","A"]}""", "B A")]
    [InlineData("""{"label":"B","probabilities":[0.25,0.375],"labels":[]}""", "")]
    [InlineData("""{"label":"B","probabilities":[0.25,0.75]}""", null)]
    [InlineData("""{"label":"B","probabilities":[-3.25,1e30]}""", null)]
    public void Job_ResultOfAModelOfAnyKind_IsAsItWasAnswered(string result, string? labels)
    {
        var row = Row(result);
        Assert.Null(row.Fault);
        Assert.Equal(labels?.Split(' ', StringSplitOptions.RemoveEmptyEntries), row.Job.Result!.Labels);
    }

    [Theory]
    [InlineData("""{"label":"B","probabilities":[0.5,0.75],"labels":["B",null]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.75],"labels":"B"}""")]
    [InlineData("""{"label":"B","probabilities":[1e39]}""")]
    public void Fault_ResultThatIsNoAnswer_IsTold(string result) => Assert.Equal("result is no answer", Row(result).Fault);

    private static JobRow Row(string result) => new(column => column switch
    {
        0 => 1L,
        1 => "0199d3c4-7c1e-7b5a-9a57-0f4f7d7e4c11",
        2 => "",
        3 => "a text"u8.ToArray(),
        4 => 0L,
        7 => "succeeded",
        8 => result.Replace("{", """{"request_id":"0199d3c4-7c1e-7b5a-9a57-0f4f7d7e4c11","worker":"worker-1",""", StringComparison.Ordinal),
        10 or 11 => 1L,
        _ => null,
    }, DateTimeOffset.UnixEpoch);
}
