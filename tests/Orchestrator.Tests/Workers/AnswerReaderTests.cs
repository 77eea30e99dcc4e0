using System.Text;
using System.Text.Json;
using CsCheck;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Workers;

public sealed class AnswerReaderTests
{
    private static readonly Gen<ModelAnswer> Answers = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 1, 12], Gen.Float.Unit.Array[1, 9], Gen.Double[0, 1e6], Gen.Bool,
        (label, probabilities, milliseconds, truncated) => new ModelAnswer("text", label, probabilities, milliseconds, truncated));

    [Fact]
    public void Read_WhateverAWorkerWrites_IsWhatTheSerializerReads() => Answers.Sample(written =>
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(written, WireJson.Relaxed.ModelAnswer);
        var expected = JsonSerializer.Deserialize(json, WireJson.Relaxed.ModelAnswer)!;
        var read = AnswerReader.Read(json, "text")!;
        return read with { Probabilities = [] } == expected with { Probabilities = [] } && read.Probabilities.SequenceEqual(expected.Probabilities);
    });

    [Fact]
    public void Read_MembersInAnotherOrderAndUnknownOnes_ArePassedOver()
    {
        var answer = AnswerReader.Read("""{"more":{"label":[1,{"a":2}]},"truncated":true,"probabilities":[1],"label":"\u0041","note":null}"""u8, "a");
        Assert.Equal(("a", "A", true, 0.0), (answer!.InputText, answer.Label, answer.Truncated, answer.InferenceMs));
        Assert.Equal([1f], answer.Probabilities);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"label":"A"}""")]
    [InlineData("""{"label":"A","probabilities":[]}""")]
    [InlineData("""{"label":null,"probabilities":[1]}""")]
    [InlineData("""{"label":"A","probabilities":null}""")]
    public void Read_NoLabelOrNoProbabilities_IsNoAnswer(string json) => Assert.Null(AnswerReader.Read(Encoding.UTF8.GetBytes(json), "a"));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"label":"A","probabilities":[1]} x""")]
    [InlineData("""{"label":1,"probabilities":[1]}""")]
    [InlineData("""{"label":"\ud800","probabilities":[1]}""")]
    [InlineData("""{"\ud800abel":"A","probabilities":[1]}""")]
    [InlineData("""{"label":"A","probabilities":{}}""")]
    [InlineData("""{"label":"A","probabilities":["1"]}""")]
    [InlineData("""{"label":"A","probabilities":[1],"inference_ms":"1"}""")]
    [InlineData("""{"label":"A","probabilities":[1],"truncated":1}""")]
    public void Read_NoSuchObject_Throws(string json) =>
        Assert.ThrowsAny<JsonException>(() => AnswerReader.Read(Encoding.UTF8.GetBytes(json), "a"));
}
