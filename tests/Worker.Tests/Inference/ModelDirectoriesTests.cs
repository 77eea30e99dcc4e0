using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tests.Tokenization;
using static Lab.Worker.Tests.Inference.DirectoryWriter;

namespace Lab.Worker.Tests.Inference;

/// <summary>Directories as people have them: which are served, with which tokens and numbers, and which are refused, with which line.</summary>
public sealed class ModelDirectoriesTests
{
    private const double Tolerance = 1e-4;
    private const string Config = "config.json";
    private const string TokenizerConfig = "tokenizer_config.json";
    private const string Decoder = "added_tokens_decoder";

    private static readonly string[] Texts =
    [
        "", "the word7 is Word1, and good!", "Crème brûlée É é 中文 中x", "[CLS] a [SEP] b [MASK] [PAD] [UNK]", "so <user>, said <USER> <E1>x <E1> <E1>",
        string.Join(' ', Enumerable.Range(0, 60).Select(n => $"word{n}")),
    ];

    private static readonly AddedToken User = new(150, "<user>", Normalized: true);
    private static readonly AddedToken Emphasis = new(151, "<E1>", Normalized: false, SingleWord: true, LeftStrip: true, Special: true);

    private static readonly Dictionary<string, Served> ServedOnes = new()
    {
        ["config.json, vocab.txt, model.safetensors"] = new(_ => { }),
        ["tokenizer.json without vocab.txt, and the class of transformers 5"] = new(d =>
        {
            d.TokenizerJson();
            d.Edit(TokenizerConfig, json =>
            {
                (json["tokenizer_class"], json["backend"], json["is_local"], json["model_max_length"]) = ("TokenizersBackend", "tokenizers", false, 1e30);
                (json["cls_token"], json["mask_token"], json["do_lower_case"], json["strip_accents"]) = ("[CLS]", "[MASK]", true, null);
            });
        }),
        ["tokenizer.json with BertProcessing, cased"] = new(d => d.TokenizerJson(json =>
        {
            json["post_processor"] = new JsonObject { ["type"] = "BertProcessing", ["sep"] = new JsonArray("[SEP]", 3), ["cls"] = new JsonArray("[CLS]", 2) };
            json["normalizer"]!["lowercase"] = false;
            (json["truncation"], json["padding"]) = (null, null);
        }))
        { Lowercase = false },
        ["tokenizer.json and a vocab.txt that agree"] = new(d => d.TokenizerJson(keepText: true)),
        ["tokenizer.json with accents and ideographs set the other way"] = new(d => d.TokenizerJson(json =>
            (json["normalizer"]!["strip_accents"], json["normalizer"]!["handle_chinese_chars"]) = (false, false)))
        { StripAccents = false, SeparateIdeographs = false },
        ["tokenizer.json with added tokens"] = new(
            d => d.TokenizerJson(json =>
            {
                json["added_tokens"]!.AsArray().Add(Added(150, "<user>", normalized: true));
                json["added_tokens"]!.AsArray().Add(Added(151, "<E1>", special: true, single: true, left: true));
            }), Rows: 152)
        { AddedTokens = [User, Emphasis] },
        ["embeddings padded to a multiple of 64"] = new(_ => { }, Rows: 192),
        ["embeddings padded to a multiple of 8, with added tokens"] = new(
            d => d.Edit(TokenizerConfig, json => json[Decoder] = new JsonObject
            {
                ["0"] = AddedWithoutId("[PAD]", special: true),
                ["150"] = AddedWithoutId("<user>", normalized: true),
                ["151"] = AddedWithoutId("<E1>", special: true, single: true, left: true),
            }), Rows: 152)
        { AddedTokens = [User, Emphasis] },
        ["added_tokens.json as older versions write it"] = new(
            d =>
            {
                d.Write("added_tokens.json", """{"<user>":150,"<E1>":151}""");
                d.Write("special_tokens_map.json", """{"cls_token":"[CLS]","additional_special_tokens":[{"content":"<E1>","lstrip":false}]}""");
            }, Rows: 152)
        { AddedTokens = [User, new(151, "<E1>", Normalized: false)] },
        ["added_tokens.json beside a tokenizer.json that says more of its tokens"] = new(
            d =>
            {
                d.TokenizerJson(json =>
                {
                    json["added_tokens"]!.AsArray().Add(Added(150, "<user>", normalized: true));
                    json["added_tokens"]!.AsArray().Add(Added(151, "<E1>", special: true, single: true, left: true));
                });
                d.Write("added_tokens.json", """{"<user>":150,"<E1>":151}""");
            }, Rows: 152)
        { AddedTokens = [User, Emphasis] },
        ["a special token that is a word piece"] = new(d => d.Edit(TokenizerConfig, json => json["additional_special_tokens"] = new JsonArray("word1")))
        {
            AddedTokens = [new(110, "word1", Normalized: false)],
        },
        ["a special token that is a word piece, with properties"] = new(d => d.Write("special_tokens_map.json", """{"additional_special_tokens":[{"content":"word1","single_word":true,"normalized":true,"lstrip":false,"rstrip":false}]}"""))
        {
            AddedTokens = [new(110, "word1", Normalized: true, SingleWord: true)],
        },
        ["shards"] = new(d => d.Shard()),
        ["links, as in the hub's cache"] = new(d => d.Link()),
        ["names of config.json that all models have"] = new(d => d.Edit(Config, json =>
        {
            foreach (var (own, alias) in (IEnumerable<(string, string)>)[("dim", "hidden_size"), ("n_heads", "num_attention_heads"), ("n_layers", "num_hidden_layers")])
            {
                json[alias] = json[own]!.DeepClone();
                json.Remove(own);
            }
        })),
        ["config.json with what transformers writes besides"] = new(d => d.Edit(Config, json =>
        {
            json["architectures"] = new JsonArray("DistilBertForSequenceClassification");
            (json["dtype"], json["transformers_version"], json["tie_weights_"], json["sinusoidal_pos_embds"]) = ("float32", "5.0.0", true, false);
            (json["pruned_heads"], json["attention_dropout"], json["pad_token_id"], json["quantization_config"]) = (new JsonObject(), 0.1, 0, null);
        })),
        ["model_max_length below the number of positions"] = new(d => d.Write(TokenizerConfig, """{"model_max_length":10}""")) { MaxTokens = 10 },
        ["max_len as older versions write it"] = new(d => d.Write(TokenizerConfig, """{"max_len":12}""")) { MaxTokens = 12 },
        ["model_max_length without end"] = new(d => d.Write(TokenizerConfig, """{"model_max_length":1000000000000000019884624838656}""")),
        ["strip_accents against do_lower_case"] = new(d => d.Write(TokenizerConfig, """{"strip_accents":false}""")) { StripAccents = false },
        ["accents stripped, and cased"] = new(d => d.Write(TokenizerConfig, """{"strip_accents":true,"do_lower_case":false}""")) { Lowercase = false, StripAccents = true },
        ["tokenize_chinese_chars false"] = new(d => d.Write(TokenizerConfig, """{"tokenize_chinese_chars":false,"tokenizer_class":"DistilBertTokenizer"}""")) { SeparateIdeographs = false },
        ["names without the prefix, and another head's tensors"] = new(d => d.RewriteWeights(
            name => name.Replace("distilbert.", "", StringComparison.Ordinal), new("embeddings.position_ids", [1, 24]), new("vocab_projector.bias", [150]))),
    };

    private static readonly Dictionary<string, Refused> RefusedOnes = new()
    {
        ["no vocabulary"] = new(d => d.Delete("vocab.txt"), "vocab.txt: does not exist, and there is no tokenizer.json"),
        ["a vocabulary that was cut off"] = new(d => File.WriteAllLines(d.PathOf("vocab.txt"), d.Tokens.Take(140)), "vocab.txt: has 140 tokens, but vocab_size in config.json is 150, which"),
        ["vocab.txt and tokenizer.json that differ"] = new(
            d =>
            {
                d.TokenizerJson(keepText: true);
                File.WriteAllLines(d.PathOf("vocab.txt"), [.. d.Tokens.Take(100), "other", .. d.Tokens.Skip(101)]);
            }, "vocab.txt: line 101 is \"other\", but the id 100 is \""),
        ["a vocab.txt shorter than tokenizer.json"] = new(
            d =>
            {
                d.TokenizerJson(keepText: true);
                File.WriteAllLines(d.PathOf("vocab.txt"), d.Tokens.Take(100));
            }, "vocab.txt: has 100 tokens, but tokenizer.json has 150"),
        ["tokenizer.json: BPE"] = new(d => d.TokenizerJson(json => json["model"]!["type"] = "BPE"), "tokenizer.json: model.type is \"BPE\"; only \"WordPiece\""),
        ["tokenizer.json: ids with a gap"] = new(d => d.TokenizerJson(json => json["model"]!["vocab"]!["word1"] = 151), "tokenizer.json: model.vocab gives \"word1\" the id 151"),
        ["tokenizer.json: another length of words"] = new(d => d.TokenizerJson(json => json["model"]!["max_input_chars_per_word"] = 50), "model.max_input_chars_per_word is 50; only 100"),
        ["tokenizer.json: another normaliser"] = new(d => d.TokenizerJson(json => json["normalizer"] = new JsonObject { ["type"] = "NFKC" }), "normalizer.type is \"NFKC\"; only \"BertNormalizer\""),
        ["tokenizer.json: no cleaning"] = new(d => d.TokenizerJson(json => json["normalizer"]!["clean_text"] = false), "normalizer.clean_text is false; only true"),
        ["tokenizer.json: words parted otherwise"] = new(d => d.TokenizerJson(json => json["pre_tokenizer"]!["type"] = "Whitespace"), "pre_tokenizer.type is \"Whitespace\""),
        ["tokenizer.json: no [SEP] at the end"] = new(d => d.TokenizerJson(json => json["post_processor"]!["single"]!.AsArray().RemoveAt(2)), "post_processor.single is \"[CLS] $A\"; only \"[CLS] $A [SEP]\""),
        ["tokenizer.json: [CLS] with another id"] = new(d => d.TokenizerJson(json => json["post_processor"]!["special_tokens"]!["[CLS]"]!["ids"] = new JsonArray(7)), "post_processor.special_tokens has not \"[CLS]\""),
        ["tokenizer.json: a separator of type 1"] = new(d => d.TokenizerJson(json => json["post_processor"]!["pair"]![2]!["SpecialToken"]!["type_id"] = 1), "post_processor.pair has the type_ids 0 0 1 0 0; only 0 0 0 1 1 and 0 0 0 0 0"),
        ["tokenizer.json: cut at the left"] = new(d => d.TokenizerJson(json => json["truncation"]!["direction"] = "Left"), "truncation.direction is \"Left\""),
        ["tokenizer.json: a member that nobody knows"] = new(d => d.TokenizerJson(json => json["post_normalizer"] = 1), "tokenizer.json: post_normalizer is 1, and what that does is not known"),
        ["inputs of the model without names"] = new(d => d.Write(TokenizerConfig, """{"model_input_names":["input_ids",7]}"""), "tokenizer_config.json: model_input_names has 7, which is no name"),
        ["inputs of the model that are no list"] = new(d => d.Write(TokenizerConfig, """{"model_input_names":"input_ids"}"""), "tokenizer_config.json: model_input_names is not an array"),
        ["tokenizer.json against tokenizer_config.json"] = new(
            d =>
            {
                d.TokenizerJson();
                d.Write(TokenizerConfig, """{"do_lower_case":false}""");
            }, "tokenizer_config.json: do_lower_case means false, but tokenizer.json says true"),
        ["a token in tokenizer_config.json that tokenizer.json has not"] = new(
            d =>
            {
                d.TokenizerJson();
                d.Edit(TokenizerConfig, json => json[Decoder] = new JsonObject { ["150"] = AddedWithoutId("<user>") });
            }, "the added token \"<user>\" is not in tokenizer.json"),
        ["an added token beyond the embeddings"] = new(
            d => d.Edit(TokenizerConfig, json => json[Decoder] = new JsonObject { ["150"] = AddedWithoutId("<user>") }), "has 151 tokens, but vocab_size in config.json is 150"),
        ["an added token with an id of its own"] = new(
            d => d.Edit(TokenizerConfig, json => json[Decoder] = new JsonObject { ["170"] = AddedWithoutId("<user>") }), "the added token \"<user>\" has the id 170; it must be 150", Rows: 192),
        ["an added token with a member that nobody knows"] = new(
            d => d.Edit(TokenizerConfig, json => json[Decoder] = new JsonObject { ["150"] = new JsonObject { ["content"] = "x", ["regex"] = true } }), "added_tokens_decoder.150.regex is true, and what"),
        ["a special token without an id"] = new(d => d.Write(TokenizerConfig, """{"additional_special_tokens":["<user>"]}"""), "the special token \"<user>\" has no id"),
        ["another begin of texts"] = new(d => d.Write("special_tokens_map.json", """{"cls_token":{"content":"<s>"}}"""), "special_tokens_map.json: cls_token is \"<s>\"; only [CLS]"),
        ["a special token with a member that nobody knows"] = new(d => d.Write("special_tokens_map.json", """{"additional_special_tokens":[{"content":"word1","regex":true}]}"""), "special_tokens_map.json: additional_special_tokens.regex is true, and what"),
        ["a tokeniser for Japanese"] = new(d => d.Write(TokenizerConfig, """{"tokenizer_class":"BertJapaneseTokenizer"}"""), "tokenizer_class is \"BertJapaneseTokenizer\"; only BERT's"),
        ["a class that says nothing by itself"] = new(d => d.Write(TokenizerConfig, """{"tokenizer_class":"PreTrainedTokenizerFast"}"""), "tokenizer.json: does not exist, and tokenizer_class"),
        ["words that are never split"] = new(d => d.Write(TokenizerConfig, """{"never_split":["[CLS]","C++"]}"""), "never_split has \"C++\""),
        ["no basic tokeniser"] = new(d => d.Write(TokenizerConfig, """{"do_basic_tokenize":false}"""), "do_basic_tokenize is false; only true"),
        ["a setting that nobody knows"] = new(d => d.Write(TokenizerConfig, """{"word_tokenizer_type":"mecab"}"""), "word_tokenizer_type is \"mecab\", and what that does is not known"),
        ["a limit of nothing"] = new(d => d.Write(TokenizerConfig, """{"model_max_length":2}"""), "model_max_length is 2; it must be at least 3"),
        ["a limit of half a token"] = new(d => d.Write(TokenizerConfig, """{"model_max_length":3.5}"""), "model_max_length is 3.5, which is not a whole number"),
        ["half a character"] = new(d => d.Write(TokenizerConfig, """{"cls_token":"\ud800"}"""), "has half of a surrogate pair"),
        ["added_tokens.json against tokenizer.json"] = new(
            d =>
            {
                d.TokenizerJson(json => json["added_tokens"]!.AsArray().Add(Added(150, "<user>")));
                d.Write("added_tokens.json", """{"<user>":151}""");
            }, "added_tokens.json: the added token \"<user>\" has another id than in tokenizer.json", Rows: 152),
        ["an added token of nothing"] = new(
            d => d.Write("added_tokens.json", """{"":150}"""), "added_tokens.json: the added token with the id 150 is empty", Rows: 151),
        ["a special token of nothing"] = new(
            d => d.Write("special_tokens_map.json", """{"additional_special_tokens":[""]}"""), "special_tokens_map.json: additional_special_tokens names no token"),
        ["two members of one name"] = new(d => d.Write(TokenizerConfig, """{"do_lower_case":false,"do_lower_case":true}"""), "tokenizer_config.json: is not JSON: Duplicate property 'do_lower_case'"),
        ["config.json of another type"] = new(d => d.Edit(Config, json => json["model_type"] = "electra"), "config.json: model_type is \"electra\"; only distilbert, bert and roberta"),
        ["config.json without a type"] = new(d => d.Edit(Config, json => json.Remove("model_type")), "config.json: model_type is missing"),
        ["a setting of config.json that nobody knows"] = new(d => d.Edit(Config, json => json["rope_theta"] = 10000), "config.json: rope_theta is 10000, and what"),
        ["quantised weights"] = new(d => d.Edit(Config, json => json["quantization_config"] = new JsonObject()), "config.json: quantization_config is there"),
        ["a pickle only"] = new(
            d => File.Move(d.PathOf("model.safetensors"), d.PathOf("pytorch_model.bin")), "model.safetensors: does not exist, and pytorch_model.bin is never loaded, since what is in such a file may run code; convert it: python -c \"from transformers"),
        ["an adapter"] = new(d => d.Write("adapter_config.json", "{}"), "adapter_config.json: belongs to an adapter"),
        ["a tensor of an adapter"] = new(d => d.RewriteWeights(name => name, new TensorShape("classifier.lora_A.weight", [2, 16])), "tensor \"classifier.lora_A.weight\": is none that"),
        ["64-bit weights"] = new(
            d =>
            {
                d.RewriteWeights(name => name == "classifier.bias" ? null : name);
                var (bytes, begin) = (File.ReadAllBytes(d.PathOf("model.safetensors")), 8);
                var header = JsonNode.Parse(bytes.AsSpan(begin, (int)BitConverter.ToUInt64(bytes)))!.AsObject();
                var end = header.Where(entry => entry.Key != "__metadata__").Max(entry => entry.Value!["data_offsets"]![1]!.GetValue<long>());
                header["classifier.bias"] = new JsonObject { ["dtype"] = "F64", ["shape"] = new JsonArray(3), ["data_offsets"] = new JsonArray(end, end + 24) };
                var text = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
                File.WriteAllBytes(d.PathOf("model.safetensors"), [.. BitConverter.GetBytes((ulong)text.Length), .. text, .. bytes.AsSpan(8 + (int)BitConverter.ToUInt64(bytes)), .. new byte[24]]);
            }, "tensor \"classifier.bias\": is stored as F64; F32, F16 and BF16 can be read"),
        ["a missing shard"] = new(
            d =>
            {
                d.Shard();
                d.Delete("model-00002-of-00002.safetensors");
            }, "model-00002-of-00002.safetensors: does not exist"),
        ["a shard without a tensor that it should have"] = new(d => d.Shard(map => map["classifier.scale"] = map["classifier.bias"]!.DeepClone()), "tensor \"classifier.scale\": is missing, though"),
        ["a shard with a tensor that it should not have"] = new(d => d.Shard(map => map.Remove("classifier.bias")), "tensor \"classifier.bias\": is not said to be here"),
        ["a shard elsewhere"] = new(d => d.Shard(map => map["classifier.bias"] = "../model.safetensors"), "model.safetensors.index.json: weight_map has \"../model.safetensors\", which is not the name"),
    };

    public static TheoryData<string> ServedNames => [.. ServedOnes.Keys];

    public static TheoryData<string> RefusedNames => [.. RefusedOnes.Keys];

    [Theory]
    [MemberData(nameof(ServedNames))]
    public void Read_DirectoryThatIsServed_TokensAndLogitsEqualTheReferences(string name)
    {
        var served = ServedOnes[name];
        using var directory = new DirectoryWriter(served.Rows);
        served.Change(directory);
        var reference = new ReferenceTokenizer(directory.Tokens, served.Lowercase, served.StripAccents, served.SeparateIdeographs, served.AddedTokens);
        var mathematics = new ReferenceEncoder(directory.Path, directory.Config);

        var (config, tokenizer, weights, _) = ModelFiles.Read(directory.Path);
        weights.Dispose();
        using var session = TestModels.Open(directory.Path, config, new(Precision.Fp32));

        Assert.Equal(served.MaxTokens, tokenizer.MaxTokens);
        foreach (var text in Texts)
        {
            var expected = reference.Encode(text, served.MaxTokens);
            Assert.Equal(expected, tokenizer.Encode(text).TokenIds);
            foreach (var (a, b) in mathematics.Logits(expected).Zip(session.ComputeLogits([expected])[0])) Assert.Equal(a, b, Tolerance);
        }

        var pair = tokenizer.EncodePair("a <user> b", "c").TokenIds;
        int[] first = reference.Encode("a <user> b", 24), second = reference.Encode("c", 24);
        if (first.Length + second.Length <= served.MaxTokens) Assert.Equal([.. first, .. second[1..]], pair);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public void Read_DirectoryThatIsRefused_SaysInALineWhatAndWhy(string name)
    {
        var refused = RefusedOnes[name];
        using var directory = new DirectoryWriter(refused.Rows);
        refused.Change(directory);

        var error = Assert.Throws<ModelDirectoryException>(() => ModelFiles.Read(directory.Path).Weights.Dispose());

        Assert.StartsWith(directory.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(refused.Line, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private sealed record Served(Action<DirectoryWriter> Change, int Rows = Words)
    {
        public bool Lowercase { get; init; } = true;

        public bool? StripAccents { get; init; }

        public bool SeparateIdeographs { get; init; } = true;

        public int MaxTokens { get; init; } = TestModels.Small.MaxPositions;

        public AddedToken[] AddedTokens { get; init; } = [];
    }

    private sealed record Refused(Action<DirectoryWriter> Change, string Line, int Rows = Words);
}
