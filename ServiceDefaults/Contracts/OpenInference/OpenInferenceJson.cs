using System.Text.Json.Serialization;

namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>Source-generated JSON of the Open Inference Protocol, in the form of <see cref="WireJson"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerHealth))]
[JsonSerializable(typeof(ModelReady))]
[JsonSerializable(typeof(ModelMetadata))]
[JsonSerializable(typeof(InferAnswer))]
[JsonSerializable(typeof(InferError))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class OpenInferenceJson : JsonSerializerContext
{
    public static OpenInferenceJson Relaxed { get; } = new(WireJson.CreateOptions());
}
