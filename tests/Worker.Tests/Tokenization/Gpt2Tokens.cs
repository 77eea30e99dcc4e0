using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>
/// GPT-2's byte-level tokens and merges, which are RoBERTa's, with RoBERTa's special tokens; their ids are GPT-2's, four
/// later. The package has the tokens in the order of their merges: of which two each is made follows.
/// </summary>
internal static class Gpt2Tokens
{
    private const string Package = "Microsoft.ML.Tokenizers.Data.R50kBase";
    private const string Resource = "r50k_base.tiktoken.deflate";

    /// <summary>The tokens by id.</summary>
    public static string[] Tokens { get; } = ["<s>", "<pad>", "</s>", "<unk>", .. Read(), "<mask>"];

    /// <summary>The merges in their order, as in <c>merges.txt</c>.</summary>
    public static string[] Merges { get; } = [.. MakeMerges()];

    /// <summary>Writes <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public static void WriteFiles(string directory, IReadOnlyList<string>? tokens = null, IEnumerable<string>? merges = null)
    {
        File.WriteAllText(Path.Combine(directory, "vocab.json"), Vocabulary(tokens ?? Tokens).ToJsonString());
        File.WriteAllLines(Path.Combine(directory, "merges.txt"), ["#version: 0.2", .. merges ?? Merges]);
    }

    /// <summary>Writes <c>tokenizer.json</c> as transformers saves it, without the special tokens among the added ones: they are text.</summary>
    public static string WriteJson(string directory, Action<JsonObject>? change = null, IReadOnlyList<string>? tokens = null, IEnumerable<string>? merges = null)
    {
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "RobertaProcessing",
                ["sep"] = new JsonArray("</s>", 2),
                ["cls"] = new JsonArray("<s>", 0),
                ["trim_offsets"] = true,
                ["add_prefix_space"] = false,
            },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = Vocabulary(tokens ?? Tokens),
                ["merges"] = new JsonArray([.. (merges ?? Merges).Select(merge => JsonValue.Create(merge))]),
            },
        };
        change?.Invoke(json);
        var path = Path.Combine(directory, "tokenizer.json");
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    /// <summary>An object with the tokens and their ids.</summary>
    public static JsonObject Vocabulary(IReadOnlyList<string> tokens) =>
        new(tokens.Select((token, id) => KeyValuePair.Create<string, JsonNode?>(token, id)));

    private static IEnumerable<string> Read()
    {
        using var stream = Assembly.Load(Package).GetManifestResourceStream(Resource)!;
        using var reader = new StreamReader(new DeflateStream(stream, CompressionMode.Decompress));
        reader.ReadLine();
        while (reader.ReadLine() is { Length: > 0 } line)
            yield return string.Concat(Convert.FromBase64String(line.Split(' ')[0]).Select(Character));
    }

    // Written down anew, from GPT-2's encoder.py.
    private static char Character(byte value)
    {
        List<int> printable = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range('¡', '¬' - '¡' + 1), .. Enumerable.Range('®', 'ÿ' - '®' + 1)];
        return printable.Contains(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(lower => !printable.Contains(lower)));
    }

    // A token is made of the two that are left when the merges before it are done.
    private static IEnumerable<string> MakeMerges()
    {
        var ranks = Tokens.Index().ToDictionary(token => token.Item, token => token.Index);
        foreach (var (rank, token) in Tokens.Index())
        {
            if (token.Length == 1 || token[0] == '<' && token is "<s>" or "</s>" or "<pad>" or "<unk>" or "<mask>") continue;
            var parts = token.Select(character => $"{character}").ToList();
            while (parts.Count > 2)
            {
                var first = Enumerable.Range(0, parts.Count - 1).MinBy(i => ranks.TryGetValue(parts[i] + parts[i + 1], out var other) && other < rank ? other : int.MaxValue);
                parts[first] += parts[first + 1];
                parts.RemoveAt(first + 1);
            }

            yield return $"{parts[0]} {parts[1]}";
        }
    }
}
