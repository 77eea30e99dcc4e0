using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

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
[JsonSerializable(typeof(Presence))]
public sealed partial class WireJson : JsonSerializerContext
{
    /// <summary>The context to use: the generated one with the relaxed encoder, since no answer is ever put into HTML.</summary>
    public static WireJson Relaxed { get; } = new(CreateOptions());

    /// <summary>The wire's form, for a context of other records: options that may be bound to one context.</summary>
    public static JsonSerializerOptions CreateOptions() => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
