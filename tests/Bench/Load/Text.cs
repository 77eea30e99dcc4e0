using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lab.Bench.Load;

/// <summary>One text, or a pair of texts, with its request body, encoded beforehand.</summary>
internal sealed class Text
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <param name="value">The text, or the first of a pair; not empty.</param>
    /// <param name="pair">The second of a pair, not empty.</param>
    public Text(string value, string? pair = null)
    {
        Value = value;
        Pair = pair;
        Utf8 = Encoding.UTF8.GetBytes(value);
        var second = pair is null ? "" : $",\"text_pair\":\"{JsonEncodedText.Encode(pair, Encoder)}\"";
        Body = Encoding.UTF8.GetBytes($$"""{"text":"{{JsonEncodedText.Encode(value, Encoder)}}"{{second}}}""");
    }

    public string Value { get; }

    /// <summary>The second text of a pair.</summary>
    public string? Pair { get; }

    /// <summary>The text itself, to compare an answer's <c>input_text</c> with.</summary>
    public byte[] Utf8 { get; }

    /// <summary>What is sent.</summary>
    public byte[] Body { get; }

    /// <summary>What is known of the answer, where something is.</summary>
    public KnownAnswer? Known { get; init; }
}
