using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// Source-generated JSON of the records that both services share: snake_case names, absent members left out,
/// and letters of every script as they are rather than as <c>\u</c> escapes (only what lies beyond the basic plane is escaped).
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(RequestAnswer))]
[JsonSerializable(typeof(BatchRequest))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(Dictionary<string, WorkerStatus>))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(PredictScore[]))]
[JsonSerializable(typeof(PredictScore[][]))]
[JsonSerializable(typeof(PredictError))]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerHealth))]
[JsonSerializable(typeof(ModelReady))]
[JsonSerializable(typeof(ModelMetadata))]
[JsonSerializable(typeof(InferAnswer))]
[JsonSerializable(typeof(InferError))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(string[]))]
public sealed partial class WireJson : JsonSerializerContext
{
    /// <summary>The context to use: the generated one with the relaxed encoder, since no answer is ever put into HTML.</summary>
    public static WireJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
