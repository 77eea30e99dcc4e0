using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

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
        Assert.Equal(fits, AnswerCheck.Fault("B", [0.25f, 0.75f], null, logits, new(["A", "B"])) is null);

    [Fact]
    public void Fault_LogitsThatTieByRounding_IsNone() =>
        Assert.Null(AnswerCheck.Fault("B", [0.49999f, 0.50001f], null, [1.2f, 1.2f], new(["A", "B"])));

    [Fact]
    public void Fault_ProbabilitiesOfSeveralLabels_AddUpToAnything()
    {
        Assert.Null(AnswerCheck.Fault("B", [0.75f, 1], ["B", "A"], [1.0986f, 20], new(["A", "B"], ProblemType.MultiLabel)));
        Assert.Null(AnswerCheck.Fault("A", [0, 0], [], null, new(["A", "B"], ProblemType.MultiLabel)));
        Assert.Contains("other labels", AnswerCheck.Fault("B", [0.75f, 1], ["A", "B"], null, new(["A", "B"], ProblemType.MultiLabel)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { -7.5f, 1e30f }, "B", true)]
    [InlineData(new[] { -7.5f, 1e30f }, "A", false)]
    [InlineData(new[] { 1, float.PositiveInfinity }, "B", false)]
    [InlineData(new[] { float.NaN, 1 }, "B", false)]
    public void Fault_NumbersOfARegression_MayBeAnyFiniteOnes(float[] numbers, string label, bool fits) =>
        Assert.Equal(fits, AnswerCheck.Fault(label, numbers, null, numbers, new(["A", "B"], ProblemType.Regression)) is null);
}
