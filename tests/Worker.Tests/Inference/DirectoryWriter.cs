using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Inference;

/// <summary>A model directory that can be served, and changes to it that people, or their tools, make.</summary>
internal sealed class DirectoryWriter : IDisposable
{
    private readonly TemporaryDirectory _directory;
    private TemporaryDirectory? _linked;

    /// <summary>Writes <c>config.json</c>, <c>vocab.txt</c> and <c>model.safetensors</c>.</summary>
    /// <param name="rows">Rows of the word embeddings; the vocabulary has <see cref="Words"/>.</param>
    public DirectoryWriter(int rows = Words)
    {
        Config = TestModels.Small with { VocabSize = rows };
        _directory = TestModels.Write(Config);
        Tokens = [.. File.ReadLines(PathOf("vocab.txt")).Take(Words)];
        File.WriteAllLines(PathOf("vocab.txt"), Tokens);
    }

    /// <summary>Lines of <c>vocab.txt</c>.</summary>
    public const int Words = 150;

    public EncoderConfig Config { get; }

    public string[] Tokens { get; }

    public string Path => _directory.Path;

    public void Dispose()
    {
        _directory.Dispose();
        _linked?.Dispose();
    }

    public string PathOf(string name) => _directory.File(name);

    public void Write(string name, string text) => File.WriteAllText(PathOf(name), text);

    public void Delete(string name) => File.Delete(PathOf(name));

    /// <summary>Changes a JSON file; one that is not there is empty before.</summary>
    public void Edit(string name, Action<JsonObject> change)
    {
        var json = File.Exists(PathOf(name)) ? JsonNode.Parse(File.ReadAllText(PathOf(name)))!.AsObject() : [];
        change(json);
        Write(name, json.ToJsonString());
    }

    /// <summary>Writes <c>tokenizer.json</c> as transformers saves it, and takes <c>vocab.txt</c> away.</summary>
    public void TokenizerJson(Action<JsonObject>? change = null, bool keepText = false)
    {
        JsonObject Special(string token) => new() { ["SpecialToken"] = new JsonObject { ["id"] = token, ["type_id"] = 0 } };
        JsonObject Sequence(string name) => new() { ["Sequence"] = new JsonObject { ["id"] = name, ["type_id"] = 0 } };
        JsonObject Ids(string token) => new() { ["id"] = token, ["ids"] = new JsonArray(Array.IndexOf(Tokens, token)), ["tokens"] = new JsonArray(token) };
        var vocabulary = new JsonObject();
        foreach (var (id, token) in Tokens.Index()) vocabulary[token] = id;
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = new JsonObject { ["direction"] = "Right", ["max_length"] = 4, ["strategy"] = "LongestFirst", ["stride"] = 0 },
            ["padding"] = new JsonObject { ["strategy"] = "BatchLongest", ["pad_token"] = "[PAD]" },
            ["added_tokens"] = new JsonArray([.. Tokens.Take(5).Select((token, id) => Added(id, token, special: true))]),
            ["normalizer"] = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null, ["lowercase"] = true },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["post_processor"] = new JsonObject
            {
                ["type"] = "TemplateProcessing",
                ["single"] = new JsonArray(Special("[CLS]"), Sequence("A"), Special("[SEP]")),
                ["pair"] = new JsonArray(Special("[CLS]"), Sequence("A"), Special("[SEP]"), Sequence("B"), Special("[SEP]")),
                ["special_tokens"] = new JsonObject { ["[CLS]"] = Ids("[CLS]"), ["[SEP]"] = Ids("[SEP]") },
            },
            ["decoder"] = new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "WordPiece",
                ["unk_token"] = "[UNK]",
                ["continuing_subword_prefix"] = "##",
                ["max_input_chars_per_word"] = 100,
                ["vocab"] = vocabulary,
            },
        };
        change?.Invoke(json);
        Write("tokenizer.json", json.ToJsonString());
        if (!keepText) Delete("vocab.txt");
    }

    /// <summary>An added token as in <c>tokenizer.json</c>.</summary>
    public static JsonObject Added(int id, string content, bool special = false, bool normalized = false, bool single = false, bool left = false, bool right = false)
    {
        var token = AddedWithoutId(content, special, normalized, single, left, right);
        token["id"] = id;
        return token;
    }

    /// <summary>An added token as in <c>added_tokens_decoder</c>.</summary>
    public static JsonObject AddedWithoutId(string content, bool special = false, bool normalized = false, bool single = false, bool left = false, bool right = false) => new()
    {
        ["content"] = content,
        ["single_word"] = single,
        ["lstrip"] = left,
        ["rstrip"] = right,
        ["normalized"] = normalized,
        ["special"] = special,
    };

    /// <summary>Writes the weights anew.</summary>
    /// <param name="rename">The new name of a tensor, or null to leave it out.</param>
    /// <param name="further">Tensors that are added, filled with ones.</param>
    public void RewriteWeights(Func<string, string?> rename, params TensorShape[] further)
    {
        Copy("model.safetensors", "rewritten", rename, further);
        File.Move(PathOf("rewritten"), PathOf("model.safetensors"), overwrite: true);
    }

    /// <summary>Splits the weights into two shards with an index, and takes the single file away.</summary>
    public void Shard(Action<JsonObject>? changeMap = null)
    {
        string[] names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        var map = new JsonObject();
        foreach (var (part, name) in names.Index())
        {
            Copy("model.safetensors", name, tensor =>
            {
                if (tensor.Contains("layer.1", StringComparison.Ordinal) != (part == 1)) return null;
                map[tensor] = name;
                return tensor;
            });
        }

        changeMap?.Invoke(map);
        Edit("model.safetensors.index.json", json =>
        {
            json["metadata"] = new JsonObject { ["total_size"] = 1 };
            json["weight_map"] = map;
        });
        Delete("model.safetensors");
    }

    /// <summary>Moves each file to another directory, and leaves a link to it.</summary>
    public void Link()
    {
        _linked = new();
        foreach (var file in Directory.GetFiles(Path))
        {
            var target = _linked.File($"{Guid.NewGuid():N}");
            File.Move(file, target);
            File.CreateSymbolicLink(file, System.IO.Path.GetRelativePath(Path, target));
        }
    }

    private void Copy(string from, string to, Func<string, string?> rename, params TensorShape[] further)
    {
        using var file = SafetensorsFile.Open(PathOf(from));
        var kept = file.Entries.Values.Select(entry => (Entry: entry, Name: rename(entry.Name))).Where(pair => pair.Name is not null).ToList();
        var done = 0;
        var current = "";
        SafetensorsWriter.Write(PathOf(to), [.. kept.Select(pair => new TensorShape(pair.Name!, pair.Entry.Shape)), .. further], StoredType.F32, (tensor, values) =>
        {
            if (kept.Find(pair => pair.Name == tensor.Name).Entry is not { } entry)
            {
                values.Fill(1);
                return;
            }

            if (current != tensor.Name) (current, done) = (tensor.Name, 0);
            MemoryMarshal.Cast<byte, float>(file.Bytes(entry)).Slice(done, values.Length).CopyTo(values);
            done += values.Length;
        });
    }
}
