using CsCheck;
using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

public sealed class ClassificationTests
{
    [Fact]
    public void Softmax_AnyLogits_SumsToOneAndKeepsOrder() =>
        Gen.Float[-1e4f, 1e4f].Array[2, 20].Sample(logits =>
        {
            var probabilities = Classification.Softmax(logits);
            Assert.Equal(1, probabilities.Sum(), 1e-5);
            Assert.All(probabilities, probability => Assert.InRange(probability, 0f, 1f));
            Assert.Equal(probabilities.Max(), probabilities[Array.IndexOf(logits, logits.Max())]);
        });

    [Fact]
    public void Softmax_KnownLogits_KnownProbabilities()
    {
        var probabilities = Classification.Softmax([0f, MathF.Log(3)]);

        Assert.Equal(0.25, probabilities[0], 1e-6);
        Assert.Equal(0.75, probabilities[1], 1e-6);
    }
}
