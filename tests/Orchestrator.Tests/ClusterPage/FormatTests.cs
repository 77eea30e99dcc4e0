using Lab.Orchestrator.ClusterPage.Parts;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.ClusterPage;

public sealed class FormatTests
{
    [Theory]
    [InlineData(new[] { "POSITIVE" }, new[] { 0.9519f }, 1, "POSITIVE 95.2 %")]
    [InlineData(new[] { "toxic", "insult" }, new[] { 0.98f, 0.5f }, 2, "toxic 98.0 %, insult 50.0 %")]
    [InlineData(new[] { "toxic", "insult" }, new[] { 0.98f, 0.5f }, 1002, "toxic 98.0 %, insult 50.0 %, 1,000 more")]
    [InlineData(new string[0], new float[0], 0, "none above 0.5")]
    [InlineData(new string[0], new[] { -3.14159f }, 1, "-3.1416")]
    [InlineData(new string[0], new[] { 2f, 3e38f, -0.5f }, 3, "2, 3E+38, -0.5")]
    public void Line_OfEachKindOfAnswer_IsLabelsAndSharesOrNumbers(string[] labels, float[] scores, int count, string line) =>
        Assert.Equal(line, Format.Line(new Verdict(labels, scores, count)));
}
