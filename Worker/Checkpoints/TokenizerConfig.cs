using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>What of Hugging Face's <c>tokenizer_config.json</c> bears on the tokens.</summary>
/// <param name="Lowercase">Whether text is lower-cased and its accents are stripped (<c>do_lower_case</c>); by default it is.</param>
internal sealed record TokenizerConfig(bool Lowercase)
{
    /// <summary>The file's name within a model directory; it may be absent.</summary>
    public const string FileName = "tokenizer_config.json";

    private const int MaxFileBytes = 4 << 20;

    /// <summary>Reads the file, or gives the defaults where there is none.</summary>
    /// <exception cref="ModelDirectoryException">The file is unreadable, or asks for what is not supported.</exception>
    public static TokenizerConfig Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!RegularFile.Exists(path)) return new(Lowercase: true);
        using var json = JsonFile.Read(path, MaxFileBytes);
        if (json.RootElement.ValueKind is not JsonValueKind.Object) throw new ModelDirectoryException(path, "is not a JSON object");
        var lowercase = Flag("do_lower_case") ?? true;
        if (Flag("strip_accents") is { } strip && strip != lowercase)
            throw new ModelDirectoryException(path, $"strip_accents is {strip} and do_lower_case is {lowercase}; only equal values are supported");
        if (Flag("tokenize_chinese_chars") is false)
            throw new ModelDirectoryException(path, "tokenize_chinese_chars is false, which is not supported");
        return new(lowercase);

        bool? Flag(string name) =>
            !json.RootElement.TryGetProperty(name, out var value) ? null : value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Null => null,
                _ => throw new ModelDirectoryException(path, $"{name} is neither true nor false"),
            };
    }
}
