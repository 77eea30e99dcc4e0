using System.Text.Json.Serialization;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>Source-generated JSON of text-embeddings-inference's contract, in the form of <see cref="WireJson"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PredictScore[]))]
[JsonSerializable(typeof(PredictScore[][]))]
[JsonSerializable(typeof(Rank[]))]
[JsonSerializable(typeof(PredictError))]
internal sealed partial class PredictJson : JsonSerializerContext
{
    public static PredictJson Relaxed { get; } = new(WireJson.CreateOptions());
}
