using System.Text;
using System.Text.Json;
using CsCheck;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;

namespace Lab.Orchestrator.Tests.Workers;

public sealed class AnswerTests
{
    private static readonly Gen<ModelAnswer> Answers = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 1, 12], Gen.Float.Unit.Array[1, 9], Gen.Double[0, 1e6], Gen.Bool,
        (label, probabilities, milliseconds, truncated) => new ModelAnswer("a", label, probabilities, milliseconds, truncated));

    [Fact]
    public void Read_WhateverAWorkerWrites_IsWhatTheSerializerReads() => Answers.Sample(written =>
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(written, WireJson.Relaxed.ModelAnswer);
        var expected = JsonSerializer.Deserialize(json, WireJson.Relaxed.ModelAnswer)!;
        var read = AnswerReader.Read(json, "a"u8, ModelOutput.Unknown, out _)!;
        return read with { Probabilities = [] } == expected with { InputText = "", Probabilities = [] } && read.Probabilities.SequenceEqual(expected.Probabilities);
    });

    [Fact]
    public void Read_LabelOfAMegabyteOrAMillionProbabilities_ThrowsBeforeItIsKept()
    {
        Assert.ThrowsAny<JsonException>(() => AnswerReader.Read(Encoding.UTF8.GetBytes($$"""{"label":"{{new string('L', 1024 * 1024)}}","probabilities":[1]}"""), "a"u8, ModelOutput.Unknown, out _));
        Assert.ThrowsAny<JsonException>(() => AnswerReader.Read(Encoding.UTF8.GetBytes($$"""{"label":"A","probabilities":[1{{string.Concat(Enumerable.Repeat(",0", 1_000_000))}}]}"""), "a"u8, ModelOutput.Unknown, out _));
    }

    [Fact]
    public void Read_MembersInAnotherOrderAndUnknownOnes_ArePassedOver()
    {
        var answer = AnswerOf(Read("""{"more":{"label":[1,{"a":2}]},"truncated":true,"probabilities":[1],"label":"\u0041","note":null,"input_text":"\u0061"}""", "A"));
        Assert.Equal(("A", true, 0.0), (answer.Label, answer.Truncated, answer.InferenceMs));
        Assert.Equal([1f], answer.Probabilities);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"label":"A"}""")]
    [InlineData("""{"label":"A","probabilities":[]}""")]
    [InlineData("""{"label":null,"probabilities":[1]}""")]
    [InlineData("""{"label":"A","probabilities":null}""")]
    public void Read_NoLabelOrNoProbabilities_IsNoAnswer(string json) =>
        Assert.Contains("no label or no probabilities", FaultOf(Read(json.Replace("{", "{\"input_text\":\"a\",", StringComparison.Ordinal).Replace(",}", "}", StringComparison.Ordinal))), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"label":"A","probabilities":[1,0]}""")]
    [InlineData("""{"label":"A","probabilities":[1,0],"input_text":"b"}""")]
    [InlineData("""{"label":"A","probabilities":[1,0],"input_text":null}""")]
    [InlineData("""{"label":"A","probabilities":[1,0],"input_text":"a","inference_ms":-1}""")]
    [InlineData("""{"label":"A","probabilities":[1,0],"input_text":"a","inference_ms":1e400}""")]
    [InlineData("""{"label":"A","probabilities":[1.5,0],"input_text":"a"}""")]
    [InlineData("""{"label":"A","probabilities":[1,-0.1],"input_text":"a"}""")]
    [InlineData("""{"label":"A","probabilities":[1e39,0],"input_text":"a"}""")]
    [InlineData("""{"label":"A","probabilities":[1],"input_text":"a"}""")]
    [InlineData("""{"label":"A","probabilities":[1,0,0],"input_text":"a"}""")]
    [InlineData("""{"label":"C","probabilities":[1,0],"input_text":"a"}""")]
    [InlineData("""{"label":"A","probabilities":[0.2,0.8],"input_text":"a"}""")]
    public void Read_WhatTheModelCannotHaveSaidOfTheText_IsNoAnswer(string json) => Assert.StartsWith("its answer", FaultOf(Read(json, "A", "B")), StringComparison.Ordinal);

    [Theory]
    [InlineData("FOREIGN\\n")]
    [InlineData("\\u202eA")]
    [InlineData("")]
    public void Read_LabelThatCanBeNone_IsNoAnswerOfAnyModel(string label) =>
        Assert.Contains("label", FaultOf(Read($$"""{"label":"{{label}}","probabilities":[1],"input_text":"a"}""")), StringComparison.Ordinal);

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
    public void Read_NoSuchObject_IsNoAnswer(string json) => Assert.NotEmpty(FaultOf(Read(json)));

    [Theory]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B","A"]}""", "B A")]
    [InlineData("""{"labels":[],"label":"A","probabilities":[0.4,0.3,0.3]}""", "")]
    [InlineData("""{"label":"A","probabilities":[1,0,1],"labels":["\u0041","C"]}""", "A C")]
    public void Read_OfAMultiLabelModel_HasItsLabels(string json, string labels)
    {
        var answer = AnswerOf(Read(ProblemType.MultiLabel, OfText(json), "A", "B", "C"));
        Assert.Equal(labels.Split(' ', StringSplitOptions.RemoveEmptyEntries), answer.Labels!);
        // Of a model that has one label they are a member like any other that nobody knows.
        Assert.Null(AnswerOf(Read(ProblemType.SingleLabel, OfText(json), "A", "B", "C")).Labels);
    }

    [Theory]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":null}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":"B"}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["A","B"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B","A","C"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B","A","A","A"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B",null]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B",["A"]]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9,0.1],"labels":["B","D"]}""")]
    [InlineData("""{"label":"A","probabilities":[0.5,0.9,0.1],"labels":["B","A"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,1.1,0.1],"labels":["B","A"]}""")]
    [InlineData("""{"label":"B","probabilities":[0.5,0.9],"labels":["B","A"]}""")]
    public void Read_LabelsThatDoNotFollowFromTheProbabilities_IsNoAnswer(string json) =>
        Assert.StartsWith("its answer", FaultOf(Read(ProblemType.MultiLabel, OfText(json), "A", "B", "C")), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"label":"SCORE","probabilities":[-3.25]}""", -3.25f)]
    [InlineData("""{"label":"SCORE","probabilities":[3e38]}""", 3e38f)]
    public void Read_OfARegression_IsAnyFiniteNumber(string json, float number) =>
        Assert.Equal([number], AnswerOf(Read(ProblemType.Regression, OfText(json), "SCORE")).Probabilities);

    [Theory]
    [InlineData("1e39", "A")]
    [InlineData("-1e39", "A")]
    [InlineData("NaN", "A")]
    [InlineData("\"Infinity\"", "A")]
    [InlineData("null", "A")]
    [InlineData("7", "B")]
    [InlineData("7,8", "A")]
    [InlineData("", "A")]
    public void Read_NumberOfARegressionThatIsNone_IsNoAnswer(string numbers, string label) =>
        Assert.StartsWith("its answer", FaultOf(Read(ProblemType.Regression, OfText($$"""{"label":"{{label}}","probabilities":[{{numbers}}]}"""), "A")), StringComparison.Ordinal);

    [Theory]
    [InlineData(ProblemType.MultiLabel, "[\"B\",\"A\"]", true)]
    [InlineData(ProblemType.SingleLabel, "[\"B\",\"A\"]", false)]
    [InlineData(ProblemType.SingleLabel, "[\"\\u001b\"]", false)]
    public void Read_BatchWithLabels_HasThemOfAMultiLabelModelAlone(ProblemType problem, string labels, bool hasThem)
    {
        var worker = new WorkerNode("worker-1", new("http://127.0.0.1:1")) { Model = StubWorker.ModelNamed("model", labels: ["A", "B"]) with { ProblemType = problem } };
        QueueEntry[] entries = [.. Enumerable.Range(0, 2).Select(_ => new QueueEntry(Guid.CreateVersion7(), "a", TimeSpan.FromMinutes(1)))];
        var results = entries.Select(entry => $$"""{"label":"B","probabilities":[0.5,0.75],"labels":{{labels}},"token":"{{entry.Id:N}}"}""");
        var json = $$"""{"inference_ms":1,"results":[{{string.Join(',', results)}}]}""";

        var reply = HttpWorkerClient.Read(new(1, worker, entries, 0), StatusCodes.Status200OK, Encoding.UTF8.GetBytes(json));

        Assert.All(Assert.IsType<WorkerReply.Answered>(reply).Texts, text => Assert.Equal(hasThem ? ["B", "A"] : null, text.Answer!.Labels));
    }

    private static string OfText(string json) => json.Replace("{\"", "{\"input_text\":\"a\",\"", StringComparison.Ordinal);

    private static WorkerReply Read(string json, params string[] labels) => Read(null, json, labels);

    private static WorkerReply Read(ProblemType? problem, string json, params string[] labels)
    {
        var worker = new WorkerNode("worker-1", new("http://127.0.0.1:1")) { Model = labels.Length == 0 ? null : StubWorker.ModelNamed("model", labels: labels) with { ProblemType = problem } };
        var entry = new QueueEntry(Guid.CreateVersion7(), "a", TimeSpan.FromMinutes(1));
        return HttpWorkerClient.Read(new(1, worker, [entry], 0), StatusCodes.Status200OK, Encoding.UTF8.GetBytes(json));
    }

    private static ModelAnswer AnswerOf(WorkerReply reply) => Assert.Single(Assert.IsType<WorkerReply.Answered>(reply).Texts).Answer!;

    private static string FaultOf(WorkerReply reply) => Assert.IsType<WorkerReply.Failed>(reply).Reason;
}
