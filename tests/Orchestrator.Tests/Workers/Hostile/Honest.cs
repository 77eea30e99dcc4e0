using System.Globalization;
using System.Text;
using Lab.Orchestrator.Tests.Api;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Http;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>A model whose answer anybody can derive from the text, and workers that serve it.</summary>
internal static class Honest
{
    private const float High = 0.8f, Low = 0.1f, HighLogit = 2, LowLogit = -0.0794f;

    public static IReadOnlyList<string> Labels { get; } = ["ANGRY", "CALM", "GLAD"];

    public static ModelInfo Model { get; } = StubWorker.ModelNamed("stub", "5a", [.. Labels]);

    /// <summary>The number of a text's label, by a hash (FNV-1a) that knows of every byte and its place.</summary>
    public static int ClassOf(string text)
    {
        var hash = 2166136261u;
        foreach (var one in Encoding.UTF8.GetBytes(text)) hash = (hash ^ one) * 16777619u;
        return (int)(hash >> 8) % Labels.Count;
    }

    public static string LabelOf(string text) => Labels[ClassOf(text)];

    public static float[] ProbabilitiesOf(string text) => [.. Labels.Select((_, i) => i == ClassOf(text) ? High : Low)];

    public static float[] LogitsOf(string text) => [.. Labels.Select((_, i) => i == ClassOf(text) ? HighLogit : LowLogit)];

    /// <summary>The members of a true answer that depend on the text, without braces.</summary>
    public static string MembersOf(string text) =>
        $"\"label\":\"{LabelOf(text)}\",\"probabilities\":{List(ProbabilitiesOf(text))},\"logits\":{List(LogitsOf(text))},\"truncated\":false";

    /// <summary>Starts one that takes a moment for each dispatch, so that a backlog can build up.</summary>
    public static async Task<StubWorker> StartAsync()
    {
        var moment = TimeSpan.FromMilliseconds(3);
        var worker = await StubWorker.StartAsync();
        worker.Model = Model;
        worker.Handle = async (text, _) =>
        {
            await Task.Delay(moment);
            return TypedResults.Json(new ModelAnswer(text, LabelOf(text), ProbabilitiesOf(text), 1, Truncated: false), WireJson.Relaxed.ModelAnswer);
        };
        worker.HandleBatch = async texts =>
        {
            await Task.Delay(moment);
            return TypedResults.Json(
                new BatchAnswer(1, [.. texts.Select(text => new BatchResult(LabelOf(text), ProbabilitiesOf(text), false, Logits: LogitsOf(text)))]),
                WireJson.Relaxed.BatchAnswer);
        };
        return worker;
    }

    private static string List(float[] numbers) => $"[{string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}]";
}
