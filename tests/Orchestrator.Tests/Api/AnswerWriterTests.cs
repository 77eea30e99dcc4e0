using System.Text.Json;
using CsCheck;
using Lab.Orchestrator.Api;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Api;

public sealed class AnswerWriterTests
{
    private static readonly Gen<RequestAnswer> Answers = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 1, 36], Gen.String, Gen.Int[1, 3], Gen.Double[0, 1e6], Gen.Float.Unit.Array[0, 9], Gen.Bool,
        (id, text, attempts, milliseconds, probabilities, truncated) =>
            new RequestAnswer(id, "worker-1", attempts, 8, milliseconds, milliseconds / 3, text, truncated, "POSITIVE", probabilities));

    [Fact]
    public void Write_AnyAnswer_AreTheBytesOfTheSerializer() => Answers.Sample(answer =>
        AnswerWriter.Write(answer).Span.SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(answer, WireJson.Relaxed.RequestAnswer)));
}
