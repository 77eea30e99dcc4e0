using System.Text;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tests.Inference;
using Lab.Worker.Tests.Tokenization;

namespace Lab.Worker.Tests.Checkpoints;

/// <summary>Files of byte-level tokenisers as people have them: which are read, and which are refused, with which line.</summary>
public sealed class ByteLevelFilesTests
{
    private const string Vocab = "vocab.json";
    private const string Merges = "merges.txt";
    private const string Json = "tokenizer.json";
    private const string Config = "tokenizer_config.json";
    private const string Map = "special_tokens_map.json";

    private static readonly string[] Pairs = ["a b", "Ġ ab", "c d"];

    private static readonly string[] Tokens =
    [
        "<s>", "<pad>", "</s>", "<unk>", .. Enumerable.Range(0, 256).Select(value => $"{ByteCharacters.Of((byte)value)}"), "ab", "Ġab", "cd", "<mask>",
    ];

    private static readonly int Rows = Tokens.Length;

    // Nothing more to check.
    private static readonly Action<ByteLevelFiles> Nothing = _ => { };

    private static readonly Dictionary<string, (Action<string> Change, Action<ByteLevelFiles> Check)> ServedOnes = new()
    {
        ["vocab.json and merges.txt alone"] = (_ => { }, files => Assert.False(files.AddPrefixSpace)),
        ["merges.txt without a version, with line ends of Windows, with a byte order mark"] = (
            d => File.WriteAllText(Path.Combine(d, Merges), string.Join("\r\n", Pairs) + "\r\n", new UTF8Encoding(true)), Nothing),
        ["tokenizer.json alone"] = (d => WriteJson(d), Nothing),
        ["tokenizer.json beside files that agree"] = (d => Gpt2Tokens.WriteJson(d, null, Tokens, Pairs), Nothing),
        ["tokenizer.json of an older version, without type"] = (d => WriteJson(d, json =>
        {
            foreach (var name in (string[])["type", "byte_fallback", "ignore_merges"]) json["model"]!.AsObject().Remove(name);
            json["pre_tokenizer"]!.AsObject().Remove("use_regex");
        }), Nothing),
        ["tokenizer.json of a newer version, with pairs of merges"] = (d => WriteJson(d, json =>
            json["model"]!["merges"] = new JsonArray([.. Pairs.Select(pair => new JsonArray([.. pair.Split(' ').Select(token => JsonValue.Create(token))]))])), Nothing),
        ["tokenizer.json with a template"] = (d => WriteJson(d, json => json["post_processor"] = Template("<s> $A </s>", "<s> $A </s> </s> $B </s>")), Nothing),
        ["tokenizer.json with a template in a sequence"] = (d => WriteJson(d, json => json["post_processor"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["processors"] = new JsonArray(new JsonObject { ["type"] = "ByteLevel", ["trim_offsets"] = false }, Template("<s> $A </s>", "<s> $A </s> </s> $B </s>")),
        }), Nothing),
        ["a space before texts"] = (
            d =>
            {
                WriteJson(d, json => json["pre_tokenizer"]!["add_prefix_space"] = true);
                Write(d, Config, """{"add_prefix_space":true,"tokenizer_class":"RobertaTokenizerFast"}""");
            }, files => Assert.True(files.AddPrefixSpace)),
        ["a space before texts, of a class that leaves it to tokenizer.json"] = (
            d =>
            {
                WriteJson(d, json => json["pre_tokenizer"]!["add_prefix_space"] = true);
                Write(d, Config, """{"tokenizer_class":"PreTrainedTokenizerFast"}""");
            }, files => Assert.True(files.AddPrefixSpace)),
        ["tokenizer_config.json as transformers 4 writes it"] = (
            d => Write(d, Config, """
                {"add_prefix_space":false,"bos_token":"<s>","cls_token":"<s>","eos_token":"</s>","errors":"replace","mask_token":{"__type":"AddedToken","content":"<mask>","lstrip":true,
                 "normalized":true,"rstrip":false,"single_word":false},"model_max_length":512,"name_or_path":"roberta-base","pad_token":"<pad>","sep_token":"</s>","special_tokens_map_file":null,
                 "tokenizer_class":"RobertaTokenizer","trim_offsets":true,"unk_token":"<unk>"}
                """), files => Assert.Equal(512, files.MaxTokens)),
        ["tokenizer.json with token types that RoBERTa's class does not give to the model"] = (d => WriteTypes(d, """{"tokenizer_class":"RobertaTokenizerFast"}"""), Nothing),
        ["tokenizer.json with token types that no class was named for"] = (d => WriteTypes(d, "{}"), Nothing),
        ["tokenizer.json with token types, which model_input_names leave out"] = (
            d => WriteTypes(d, """{"tokenizer_class":"TokenizersBackend","model_input_names":["input_ids","attention_mask"]}"""), Nothing),
        ["special tokens of other names"] = (
            d =>
            {
                string[] tokens = ["[CLS]", "[PAD]", "[SEP]", .. Tokens[3..]];
                Gpt2Tokens.WriteFiles(d, tokens, Pairs);
                Write(d, Map, """{"cls_token":"[CLS]","sep_token":{"content":"[SEP]","lstrip":false},"pad_token":"[PAD]","bos_token":"[CLS]","eos_token":"[SEP]"}""");
            }, Nothing),
        ["special tokens among the added ones, which stay text"] = (
            d => WriteJson(d, json => json["added_tokens"] = new JsonArray(
                DirectoryWriter.Added(0, "<s>", special: true), DirectoryWriter.Added(2, "</s>", special: true), DirectoryWriter.Added(Rows - 1, "<mask>", special: true, left: true))),
            files => Assert.Empty(files.AddedTokens)),
        ["a mask that was added"] = (
            d =>
            {
                Gpt2Tokens.WriteFiles(d, Tokens[..^1], Pairs);
                Write(d, "added_tokens.json", $$"""{"<mask>":{{Rows - 1}}}""");
            }, files => Assert.Empty(files.AddedTokens)),
    };

    private static readonly Dictionary<string, (Action<string> Change, string Line)> RefusedOnes = new()
    {
        ["no vocabulary"] = (d => File.Delete(Path.Combine(d, Vocab)), "vocab.json: does not exist, and there is no tokenizer.json in its place"),
        ["a SentencePiece model in its place"] = (
            d => File.Move(Path.Combine(d, Vocab), Path.Combine(d, "sentencepiece.bpe.model")), "vocab.json: does not exist, and there is no tokenizer.json in its place; sentencepiece.bpe.model is a SentencePiece tokeniser, which cannot be served"),
        ["no merges"] = (d => File.Delete(Path.Combine(d, Merges)), "merges.txt: does not exist"),
        ["a vocabulary that is not JSON"] = (d => Write(d, Vocab, "{\"a\":"), "vocab.json: is not JSON: "),
        ["a vocabulary that is a list"] = (d => Write(d, Vocab, "[]"), "vocab.json: is not a JSON object"),
        ["a token twice"] = (d => Write(d, Vocab, """{"a":0,"a":1}"""), "vocab.json: is not JSON: Duplicate property 'a'"),
        ["an id twice"] = (d => Edit(d, Vocab, json => json["cd"] = 0), "vocab.json: gives \"cd\" the id 0; ids must be 0 to 263, each once"),
        ["an id beyond the others"] = (d => Edit(d, Vocab, json => json["cd"] = 9999), "vocab.json: gives \"cd\" the id 9999; ids must be 0 to 263, each once"),
        ["an id that is none"] = (d => Edit(d, Vocab, json => json["cd"] = "7"), "vocab.json: gives \"cd\" the id \"7\"; ids"),
        ["more tokens than rows"] = (d => Edit(d, Vocab, json => json["more"] = Rows), "vocab.json: has 265 tokens, but vocab_size in config.json is 264"),
        ["a byte without a token"] = (d => Gpt2Tokens.WriteFiles(d, [.. Tokens.Select(token => token == "Ċ" ? "no" : token)], Pairs), "vocab.json: has no token for the byte 0x0A, \"Ċ\""),
        ["no begin of texts"] = (d => Gpt2Tokens.WriteFiles(d, ["begin", .. Tokens[1..]], Pairs), "vocab.json: the token <s>, which is cls_token, is missing"),
        ["a merge that makes no token"] = (d => Gpt2Tokens.WriteFiles(d, Tokens, [.. Pairs, "a c"]), "merges.txt: line 5: the merge of \"a\" and \"c\" needs the token \"ac\", which vocab.json has not"),
        ["a merge of no token"] = (d => Gpt2Tokens.WriteFiles(d, Tokens, ["xy a"]), "merges.txt: line 2: the merge of \"xy\" and \"a\" needs the token \"xy\""),
        ["a merge twice"] = (d => Gpt2Tokens.WriteFiles(d, Tokens, [.. Pairs, "a b"]), "merges.txt: line 5: the merge of \"a\" and \"b\" is there twice"),
        ["a merge of three"] = (d => Gpt2Tokens.WriteFiles(d, Tokens, ["a b c"]), "merges.txt: line 2 is \"a b c\"; it must be two tokens"),
        ["a line of nothing"] = (d => Gpt2Tokens.WriteFiles(d, Tokens, ["a b", "", "c d"]), "merges.txt: line 3 is \"\"; it must be two tokens"),
        ["merges that are no text"] = (d => File.WriteAllBytes(Path.Combine(d, Merges), [0x61, 0x20, 0xFF, 0x0A]), "merges.txt: is not valid UTF-8"),
        ["merges that differ"] = (
            d =>
            {
                Gpt2Tokens.WriteJson(d, null, Tokens, Pairs);
                Gpt2Tokens.WriteFiles(d, Tokens, [Pairs[0], Pairs[2], Pairs[1]]);
            }, "merges.txt: line 3: the merge of \"c\" and \"d\" is of \"Ġ\" and \"ab\" in tokenizer.json"),
        ["merges that are fewer"] = (
            d =>
            {
                Gpt2Tokens.WriteJson(d, null, Tokens, Pairs);
                Gpt2Tokens.WriteFiles(d, Tokens, Pairs[..2]);
            }, "merges.txt: has 2 merges, but tokenizer.json has 3"),
        ["a vocabulary that differs"] = (
            d =>
            {
                Gpt2Tokens.WriteJson(d, null, Tokens, Pairs);
                Gpt2Tokens.WriteFiles(d, [.. Tokens[..^1], "other"], Pairs);
            }, "vocab.json: has \"other\" with the id 263, but tokenizer.json has \"<mask>\""),
        ["tokenizer.json: unigram"] = (d => WriteJson(d, json => json["model"] = new JsonObject { ["type"] = "Unigram", ["vocab"] = new JsonArray() }), "tokenizer.json: model.type is \"Unigram\"; only \"BPE\" can be served"),
        ["tokenizer.json: word pieces"] = (d => WriteJson(d, json => json["model"]!["type"] = "WordPiece"), "tokenizer.json: model.type is \"WordPiece\"; only \"BPE\""),
        ["tokenizer.json: dropout"] = (d => WriteJson(d, json => json["model"]!["dropout"] = 0.1), "tokenizer.json: model.dropout is 0.1; only null"),
        ["tokenizer.json: merges ignored"] = (d => WriteJson(d, json => json["model"]!["ignore_merges"] = true), "tokenizer.json: model.ignore_merges is true; only false"),
        ["tokenizer.json: ends of words"] = (d => WriteJson(d, json => json["model"]!["end_of_word_suffix"] = "</w>"), "tokenizer.json: model.end_of_word_suffix is \""),
        ["tokenizer.json: a merge of no text"] = (d => WriteJson(d, json => json["model"]!["merges"]!.AsArray().Add(7)), "tokenizer.json: model.merges[3] is 7; it must be two tokens"),
        ["tokenizer.json: a merge that makes no token"] = (d => WriteJson(d, json => json["model"]!["merges"]!.AsArray().Add("a c")), "tokenizer.json: model.merges[3]: the merge of \"a\" and \"c\" needs the token \"ac\", which tokenizer.json has not"),
        ["tokenizer.json: a normaliser"] = (d => WriteJson(d, json => json["normalizer"] = new JsonObject { ["type"] = "NFC" }), "tokenizer.json: normalizer is {\"type\":\"NFC\"}; a byte-level"),
        ["tokenizer.json: words parted otherwise"] = (d => WriteJson(d, json => json["pre_tokenizer"]!["type"] = "Metaspace"), "tokenizer.json: pre_tokenizer.type is \"Metaspace\"; only \"ByteLevel\""),
        ["tokenizer.json: words not parted"] = (d => WriteJson(d, json => json["pre_tokenizer"]!["use_regex"] = false), "tokenizer.json: pre_tokenizer.use_regex is false; only true"),
        ["tokenizer.json: one separator"] = (d => WriteJson(d, json => json["post_processor"] = Template("<s> $A </s>", "<s> $A </s> $B </s>")), "tokenizer.json: post_processor.pair is \"<s> $A </s> $B </s>\"; only \"<s> $A </s> </s> $B </s>\""),
        ["tokenizer.json: token types that a general class gives to the model"] = (d => WriteTypes(d, """{"tokenizer_class":"TokenizersBackend"}"""), "tokenizer.json: post_processor has a type_id other than 0"),
        ["tokenizer.json: token types that model_input_names have"] = (
            d => WriteTypes(d, """{"tokenizer_class":"RobertaTokenizer","model_input_names":["input_ids","token_type_ids"]}"""), "tokenizer.json: post_processor has a type_id other than 0"),
        ["tokenizer.json: special tokens of GPT-2"] = (d => WriteJson(d, json => json["post_processor"] = new JsonObject { ["type"] = "ByteLevel", ["trim_offsets"] = false }), "tokenizer.json: post_processor.type is \"ByteLevel\"; only"),
        ["tokenizer.json: a begin with another id"] = (d => WriteJson(d, json => json["post_processor"]!["cls"] = new JsonArray("<s>", 5)), "tokenizer.json: post_processor gives \"<s>\" the id 5; it is 0"),
        ["tokenizer.json: another begin"] = (d => WriteJson(d, json => json["post_processor"]!["cls"] = new JsonArray("<pad>", 1)), "tokenizer.json: post_processor has \"<pad>\" where cls_token is \"<s>\""),
        ["tokenizer.json: a member that nobody knows"] = (d => WriteJson(d, json => json["model"]!["vocab_prefix"] = 1), "tokenizer.json: model.vocab_prefix is 1, and what"),
        ["a space before texts that only one file knows"] = (d => WriteJson(d, json => json["pre_tokenizer"]!["add_prefix_space"] = true), "tokenizer_config.json: add_prefix_space is absent, which means false, but tokenizer.json says true"),
        ["another class"] = (d => Write(d, Config, """{"tokenizer_class":"XLMRobertaTokenizer"}"""), "tokenizer_config.json: tokenizer_class is \"XLMRobertaTokenizer\"; only RoBERTa's"),
        ["text in lower case"] = (d => Write(d, Config, """{"do_lower_case":true}"""), "tokenizer_config.json: do_lower_case is true; only false"),
        ["no room for a pair"] = (d => Write(d, Config, """{"model_max_length":3}"""), "tokenizer_config.json: model_max_length is 3; it must be at least 4"),
        ["two names for one role"] = (
            d =>
            {
                Write(d, Config, """{"cls_token":"<s>"}""");
                Write(d, Map, """{"cls_token":"<pad>"}""");
            }, "special_tokens_map.json: cls_token is \"<pad>\", but \"<s>\" in tokenizer_config.json"),
    };

    public static TheoryData<string> ServedNames => [.. ServedOnes.Keys];

    public static TheoryData<string> RefusedNames => [.. RefusedOnes.Keys];

    [Theory]
    [MemberData(nameof(ServedNames))]
    public void Read_FilesThatAreServed_GiveTokensMergesAndSpecialTokens(string name)
    {
        using var directory = new TemporaryDirectory();
        Gpt2Tokens.WriteFiles(directory.Path, Tokens, Pairs);
        ServedOnes[name].Change(directory.Path);

        var files = ByteLevelFiles.Read(directory.Path, Rows);

        Assert.Equal(["ab", "Ġab", "cd"], files.Vocabulary.Merges.Select(merge => merge.Left + merge.Right));
        Assert.Equal((0, 2, 3), (files.ClsId, files.SepId, files.Vocabulary.LongestToken));
        Assert.Equal(260, files.Vocabulary.Ids["ab"]);
        ServedOnes[name].Check(files);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public void Read_FilesThatAreRefused_SayInALineWhatAndWhy(string name)
    {
        using var directory = new TemporaryDirectory();
        Gpt2Tokens.WriteFiles(directory.Path, Tokens, Pairs);
        RefusedOnes[name].Change(directory.Path);

        var error = Assert.Throws<ModelDirectoryException>(() => ByteLevelFiles.Read(directory.Path, Rows));

        Assert.StartsWith(directory.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(RefusedOnes[name].Line, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    // A text's first token has the id 0: with it as padding, transformers would give it no position of its own.
    [Theory]
    [InlineData(0, null, "pad_token_id is 0, but the tokenizer's pad_token has the id 1; they must be the same")]
    [InlineData(1, """{"pad_token":"<unk>"}""", "pad_token_id is 1, but the tokenizer's pad_token has the id 3; they must be the same")]
    [InlineData(1, """{"pad_token":"<none>"}""", "pad_token_id is 1, but the tokenizer's pad_token is missing; they must be the same")]
    [InlineData(3, """{"pad_token":"<unk>"}""", null)]
    [InlineData(1, null, null)]
    public void Read_PaddingFromWhichPositionsAreCounted_IsTheTokenizers(int padId, string? map, string? line)
    {
        using var directory = new TemporaryDirectory();
        Gpt2Tokens.WriteFiles(directory.Path, Tokens, Pairs);
        if (map is not null) Write(directory.Path, Map, map);

        var error = Record.Exception(() => Worker.Tokenization.Tokenizers.Read(directory.Path, Architectures.Roberta.Standard with { VocabSize = Rows, PadId = padId }));

        Assert.Equal(line is null ? null : $"{directory.File("config.json")}: {line}", error?.Message);
    }

    private static void Write(string directory, string name, string text) => File.WriteAllText(Path.Combine(directory, name), text);

    private static void Edit(string directory, string name, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(directory, name)))!.AsObject();
        change(json);
        Write(directory, name, json.ToJsonString());
    }

    // In the place of vocab.json and merges.txt.
    private static void WriteJson(string directory, Action<JsonObject>? change = null)
    {
        Gpt2Tokens.WriteJson(directory, change, Tokens, Pairs);
        File.Delete(Path.Combine(directory, Vocab));
        File.Delete(Path.Combine(directory, Merges));
    }

    private static void WriteTypes(string directory, string config)
    {
        WriteJson(directory, json =>
        {
            json["post_processor"] = Template("<s> $A </s>", "<s> $A </s> </s> $B </s>");
            json["post_processor"]!["pair"]![4]!["Sequence"]!["type_id"] = 1;
        });
        Write(directory, Config, config);
    }

    private static JsonObject Template(string single, string pair)
    {
        return new()
        {
            ["type"] = "TemplateProcessing",
            ["single"] = Pieces(single),
            ["pair"] = Pieces(pair),
            ["special_tokens"] = new JsonObject { ["<s>"] = Special("<s>", 0), ["</s>"] = Special("</s>", 2) },
        };

        static JsonArray Pieces(string template) => [.. template.Split(' ').Select(piece => piece[0] == '$'
            ? new JsonObject { ["Sequence"] = new JsonObject { ["id"] = piece[1..], ["type_id"] = 0 } }
            : new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = piece, ["type_id"] = 0 } })];
        static JsonObject Special(string token, int id) => new() { ["id"] = token, ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(token) };
    }
}
