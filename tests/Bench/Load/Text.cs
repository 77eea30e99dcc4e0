using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lab.Bench.Load;

/// <summary>One text with its request body, encoded beforehand.</summary>
internal sealed class Text
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <param name="value">The text, not empty.</param>
    public Text(string value)
    {
        Value = value;
        Utf8 = Encoding.UTF8.GetBytes(value);
        Body = Encoding.UTF8.GetBytes($$"""{"text":"{{JsonEncodedText.Encode(value, Encoder)}}"}""");
    }

    public string Value { get; }

    /// <summary>The text itself, to compare an answer's <c>input_text</c> with.</summary>
    public byte[] Utf8 { get; }

    /// <summary>What is sent.</summary>
    public byte[] Body { get; }

    /// <summary>What is known of the answer, where something is.</summary>
    public KnownAnswer? Known { get; init; }
}
