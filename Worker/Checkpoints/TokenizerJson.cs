namespace Lab.Worker.Checkpoints;

/// <summary>
/// The whole tokeniser in one file (Hugging Face's tokenizers, version 1.0 of its format), as far as it is BERT's: a
/// WordPiece vocabulary, BERT's normaliser, words parted as BERT parts them, and [CLS] A [SEP] B [SEP].
/// </summary>
/// <param name="Tokens">The word pieces by id.</param>
/// <param name="Lowercase">Whether text is lower-cased.</param>
/// <param name="StripAccents">Whether accents are stripped.</param>
/// <param name="SeparateIdeographs">Whether each ideograph is a word of its own.</param>
/// <param name="PairTypes">Whether the tokens of a pair's second text have the type 1.</param>
/// <param name="AddedTokens">Added tokens; BERT's special ones among them.</param>
internal sealed record TokenizerJson(
    string[] Tokens, bool Lowercase, bool StripAccents, bool SeparateIdeographs, bool PairTypes, IReadOnlyList<AddedToken> AddedTokens)
{
    /// <summary>The file's name within a model directory; it may be absent where there is a <c>vocab.txt</c>.</summary>
    public const string FileName = "tokenizer.json";

    /// <summary>A longer file is refused.</summary>
    public const int MaxFileBytes = 32 << 20;

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">As many tokens there may be at most.</param>
    /// <exception cref="ModelDirectoryException">The file is unreadable, or a tokeniser of another kind.</exception>
    public static TokenizerJson Read(string path, int rows) => JsonMembers.ReadFile(path, MaxFileBytes, members =>
    {
        members.Expect("version", "\"1.0\"");
        // How tokens become text again is of no concern, and nothing is padded.
        members.PassOver("decoder", "padding");
        Truncation(members.Object("truncation"));
        var tokens = Model(members.Object("model") ?? throw members.Wrong("model is missing"), rows);
        if (members.Object("pre_tokenizer") is not { } words) throw members.Wrong("pre_tokenizer is missing; only BertPreTokenizer can be served");
        words.Require("type", "\"BertPreTokenizer\"");
        words.RefuseOthers();
        var pairTypes = PostProcessor.Check(members.Object("post_processor") ?? throw members.Wrong("post_processor is missing; only BERT's can be served"), tokens);
        var (lowercase, strip, ideographs) = Normalizer(members.Object("normalizer") ?? throw members.Wrong("normalizer is missing; only BertNormalizer can be served"));
        return new TokenizerJson(tokens, lowercase, strip, ideographs, pairTypes, Added(members));
    });

    /// <summary>Refuses other truncation than from the end of the longer text.</summary>
    /// <remarks>Its length is what the last caller of the tokeniser asked for. Each caller sets his own, transformers' pipelines too.</remarks>
    /// <exception cref="ModelDirectoryException">It is other.</exception>
    public static void Truncation(JsonMembers? truncation)
    {
        truncation?.Expect("direction", "\"Right\"");
        truncation?.Expect("strategy", "\"LongestFirst\"");
        truncation?.PassOver("max_length", "stride");
        truncation?.RefuseOthers();
    }

    private static string[] Model(JsonMembers model, int rows)
    {
        model.Expect("type", "\"WordPiece\"");
        model.Require("unk_token", $"\"{Vocabulary.UnknownToken}\"");
        model.Require("continuing_subword_prefix", "\"##\"");
        model.Require("max_input_chars_per_word", "100");
        var vocabulary = model.Object("vocab") ?? throw model.Wrong("model.vocab is missing");
        model.RefuseOthers();
        return ByteLevelVocabulary.TokensById(vocabulary, model, "model.vocab ", rows);
    }

    private static (bool Lowercase, bool StripAccents, bool SeparateIdeographs) Normalizer(JsonMembers normalizer)
    {
        normalizer.Require("type", "\"BertNormalizer\"");
        normalizer.Require("clean_text", "true");
        var ideographs = normalizer.Flag("handle_chinese_chars") ?? throw normalizer.Wrong("normalizer.handle_chinese_chars is missing");
        var lowercase = normalizer.Flag("lowercase") ?? throw normalizer.Wrong("normalizer.lowercase is missing");
        var strip = normalizer.Flag("strip_accents") ?? lowercase;
        normalizer.RefuseOthers();
        return (lowercase, strip, ideographs);
    }

    /// <summary>Reads the member <c>added_tokens</c>.</summary>
    /// <exception cref="ModelDirectoryException">An element is no token with an id.</exception>
    public static List<AddedToken> Added(JsonMembers members)
    {
        const string name = "added_tokens";
        var tokens = new List<AddedToken>();
        foreach (var element in members.Array(name))
        {
            var token = members.Within($"{name}[{tokens.Count}]", element);
            tokens.Add(AddedToken.Read(token.Number("id") ?? throw members.Wrong($"{token.Name("id")} is missing"), token));
        }

        return tokens;
    }
}
