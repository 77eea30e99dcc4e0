using CsCheck;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

public sealed class ClassificationTests
{
    [Fact]
    public void Softmax_AnyLogits_SumsToOneAndKeepsOrder() =>
        Gen.Float[-1e4f, 1e4f].Array[2, 20].Sample(logits =>
        {
            var probabilities = ScoreFunctions.Softmax(logits);
            Assert.Equal(1, probabilities.Sum(), 1e-5);
            Assert.All(probabilities, probability => Assert.InRange(probability, 0f, 1f));
            Assert.Equal(probabilities.Max(), probabilities[Array.IndexOf(logits, logits.Max())]);
        });

    [Fact]
    public void Softmax_KnownLogits_KnownProbabilities()
    {
        var probabilities = ScoreFunctions.Softmax([0f, MathF.Log(3)]);

        Assert.Equal(0.25, probabilities[0], 1e-6);
        Assert.Equal(0.75, probabilities[1], 1e-6);
    }

    [Fact]
    public void Logistic_AnyLogit_IsAProbabilityAndOneWithItsOpposite() =>
        Gen.Float[-1e4f, 1e4f].Sample(logit =>
        {
            Assert.InRange(ScoreFunctions.Logistic(logit), 0f, 1f);
            Assert.Equal(1, ScoreFunctions.Logistic(logit) + (double)ScoreFunctions.Logistic(-logit), 1e-6);
        });

    // The values are NumPy's of 1 / (1 + exp(-x)).
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(2, 0.8807970779778823)]
    [InlineData(-5, 0.006692850924284856)]
    [InlineData(float.MaxValue, 1)]
    [InlineData(float.MinValue, 0)]
    public void Logistic_KnownLogit_KnownProbability(float logit, double probability) => Assert.Equal(probability, ScoreFunctions.Logistic(logit), 1e-7);

    [Fact]
    public void Scores_OfEachProblem_AreThoseOfTheTransformersPipeline()
    {
        float[] logits = [0, MathF.Log(3), -2];
        Assert.Equal(ScoreFunctions.Softmax(logits), Classification.Scores(logits, ProblemType.SingleLabel));
        Assert.Equal([ScoreFunctions.Logistic(2)], Classification.Scores([2], ProblemType.SingleLabel));
        Assert.Equal([0.5f, 0.75f, ScoreFunctions.Logistic(-2)], Classification.Scores(logits, ProblemType.MultiLabel));
        Assert.Equal(logits, Classification.Scores(logits, ProblemType.Regression));
        Assert.Equal([-3e38f], Classification.Scores([-3e38f], ProblemType.Regression));
    }

    [Theory]
    [InlineData(new[] { 0.1f, 0.9f, 0.5f }, "B C", "B")]
    [InlineData(new[] { 0.4999999f, 0.1f, 0.2f }, "", "A")]
    [InlineData(new[] { 0.2f, 1f, 1f }, "B C", "B")]
    public void LabelsOf_MultiLabel_AreThoseOfHalfAndMoreInFallingOrder(float[] probabilities, string labels, string best)
    {
        var model = new ModelDescription("", "", ["A", "B", "C"], 8, Problem: ProblemType.MultiLabel);
        var result = new Classification(probabilities, probabilities, Truncated: false);
        Assert.Equal(labels.Split(' ', StringSplitOptions.RemoveEmptyEntries), model.LabelsOf(result)!);
        Assert.Equal(best, model.LabelOf(result));
        Assert.Null((model with { Problem = ProblemType.SingleLabel }).LabelsOf(result));
        Assert.Null((model with { Problem = ProblemType.Regression }).LabelsOf(result));
    }
}
