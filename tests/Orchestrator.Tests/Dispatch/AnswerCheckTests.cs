using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class AnswerCheckTests
{
    [Theory]
    [InlineData(new[] { -1f, 0.1f }, true)]
    [InlineData(new[] { 0.1f, -1f }, false)]
    [InlineData(new[] { 1f }, false)]
    [InlineData(new[] { 1f, float.NaN }, false)]
    [InlineData(new[] { 1f, float.PositiveInfinity }, false)]
    public void Fault_Logits_MustHaveTheOrderOfTheProbabilities(float[] logits, bool fits) =>
        Assert.Equal(fits, AnswerCheck.Fault("B", [0.25f, 0.75f], logits, ["A", "B"]) is null);

    [Fact]
    public void Fault_LogitsThatTieByRounding_IsNone() =>
        Assert.Null(AnswerCheck.Fault("B", [0.49999f, 0.50001f], [1.2f, 1.2f], ["A", "B"]));
}
