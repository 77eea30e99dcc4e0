using System.Text.Json.Serialization;

namespace Lab.ServiceDefaults.Contracts.InferenceApi;

/// <summary>One label with its score.</summary>
/// <param name="Label">The label.</param>
/// <param name="Score">What the score function made of its logit.</param>
public sealed record LabelScore(string Label, float Score);

/// <summary>A refusal in the shape that Hugging Face's clients show.</summary>
/// <param name="Error">What was wrong.</param>
public sealed record InferenceApiError(string Error);

/// <summary>Source-generated JSON of Hugging Face's inference API, in the form of <see cref="WireJson"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LabelScore[][]))]
[JsonSerializable(typeof(InferenceApiError))]
internal sealed partial class InferenceApiJson : JsonSerializerContext
{
    public static InferenceApiJson Relaxed { get; } = new(WireJson.CreateOptions());
}
