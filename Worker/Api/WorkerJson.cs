using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lab.Worker.Api;

/// <summary>Source-generated JSON of the text-embeddings-inference contract, which only the worker's own endpoints write.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PredictScore[]))]
[JsonSerializable(typeof(PredictScore[][]))]
[JsonSerializable(typeof(PredictError))]
[JsonSerializable(typeof(ModelInfo))]
internal sealed partial class WorkerJson : JsonSerializerContext
{
    /// <summary>The context to use: labels and texts as they are rather than as <c>\u</c> escapes.</summary>
    public static WorkerJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
