using System.Text.Json;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>The members that the bodies of text-embeddings-inference have in common.</summary>
internal static class PredictMembers
{
    /// <summary>What <c>truncate</c> and <c>truncation_direction</c> come to.</summary>
    public static TruncationPolicy Policy(JsonElement root)
    {
        var left = Direction(root);
        return !Flag(root, "truncate") ? TruncationPolicy.Refuse : left ? TruncationPolicy.Left : TruncationPolicy.Right;
    }

    /// <summary>A member that is true or false; false where it is absent or null.</summary>
    public static bool Flag(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw Impossible($"`{name}` is neither true nor false."),
        };

    /// <summary>422, to be thrown.</summary>
    public static RefusedException Impossible(string detail) => new(Refusal.Impossible(detail));

    private static bool Direction(JsonElement root)
    {
        if (!root.TryGetProperty("truncation_direction", out var value) || value.ValueKind is JsonValueKind.Null) return false;
        var name = value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        // Hugging Face's server writes the words in either case.
        if (string.Equals(name, "left", StringComparison.OrdinalIgnoreCase)) return true;
        if (string.Equals(name, "right", StringComparison.OrdinalIgnoreCase)) return false;
        throw Impossible("`truncation_direction` is neither \"left\" nor \"right\"");
    }
}
