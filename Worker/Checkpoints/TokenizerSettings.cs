using System.Globalization;
using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// What Hugging Face's <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say; each
/// may be absent. Null is what they leave open.
/// </summary>
internal sealed record TokenizerSettings
{
    /// <summary>The special tokens alone, as older versions of transformers write them.</summary>
    public const string SpecialTokensFileName = "special_tokens_map.json";

    /// <summary>Contents and ids of added tokens, as older versions of transformers write them.</summary>
    public const string AddedTokensFileName = "added_tokens.json";

    private const int MaxFileBytes = 4 << 20;

    // They need tokenizer.json, which says all that their names do not.
    private static readonly string[] GeneralClasses = ["PreTrainedTokenizerFast", "TokenizersBackend"];
    private static readonly string[] BertClasses = ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast"];
    private static readonly string[] ByteLevelClasses = ["RobertaTokenizer", "RobertaTokenizerFast"];

    // Their own model_input_names have no token types, and neither have those of RoBERTa's classes.
    private static readonly string[] TypelessClasses = ["DistilBertTokenizer", "DistilBertTokenizerFast"];

    // How transformers itself works, how tokens become text again, and padding, which is never computed.
    private static readonly string[] Harmless =
    [
        "name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file", "merges_file", "processor_class", "backend", "is_local", "local_files_only", "from_slow",
        "use_fast", "trust_remote_code", "clean_up_tokenization_spaces", "chat_template", "verbose",
        "full_tokenizer_file", "truncation", "padding", "padding_side", "pad_to_multiple_of", "pad_token_id", "pad_token_type_id", "stride", "max_length", "return_token_type_ids", "return_attention_mask",
    ];

    /// <summary>Whether text is lower-cased.</summary>
    public bool? Lowercase { get; private init; }

    /// <summary>Whether accents are stripped.</summary>
    public bool? StripAccents { get; private init; }

    /// <summary>Whether accents are to be stripped where text is lower-cased, said in so many words.</summary>
    public bool StripAccentsAsLowercase { get; private init; }

    /// <summary>Whether each ideograph is a word of its own.</summary>
    public bool? SeparateIdeographs { get; private init; }

    /// <summary>Whether transformers hands token types to the model; where it does not, all are 0.</summary>
    public bool GivesTypes { get; private init; } = true;

    /// <summary>Whether a space is put before a text that begins with none.</summary>
    public bool? AddPrefixSpace { get; private init; }

    /// <summary>The special tokens of a byte-level model by their roles.</summary>
    public SpecialTokenRoles Roles { get; private init; } = SpecialTokenRoles.Standard;

    /// <summary>The longest input in tokens, at least 3.</summary>
    public int MaxTokens { get; private init; } = int.MaxValue;

    /// <summary>A class that says nothing without <c>tokenizer.json</c>.</summary>
    public string? GeneralClass { get; private init; }

    /// <summary>Added tokens by these files, each id once; those with a role among them.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; private init; } = [];

    /// <summary>The file that has them.</summary>
    public string AddedTokensSource { get; private init; } = TokenizerConfig.FileName;

    /// <summary>Special tokens that are named without an id.</summary>
    public IReadOnlyList<AddedToken> Named { get; private init; } = [];

    /// <summary>Reads the three files.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="kind">Which kind of tokeniser they must be of.</param>
    /// <exception cref="ModelDirectoryException">One is unreadable, or asks for what is not supported.</exception>
    public static TokenizerSettings Read(string directory, TokenizerKind kind = TokenizerKind.WordPiece)
    {
        var path = Path.Combine(directory, TokenizerConfig.FileName);
        var settings = RegularFile.Exists(path) ? JsonMembers.ReadFile(path, MaxFileBytes, members => Config(members, kind)) : new() { GivesTypes = kind is TokenizerKind.WordPiece };
        path = Path.Combine(directory, SpecialTokensFileName);
        if (RegularFile.Exists(path))
        {
            var (roles, named) = JsonMembers.ReadFile(path, MaxFileBytes, members => Names(members, kind));
            settings = settings with
            {
                Roles = settings.Roles.And(roles, path),
                Named = [.. settings.Named.UnionBy(named, token => token.Content, StringComparer.Ordinal)],
            };
        }

        path = Path.Combine(directory, AddedTokensFileName);
        return RegularFile.Exists(path) ? JsonMembers.ReadFile(path, MaxFileBytes, members => settings.WithAddedTokens(members, kind)) : settings;
    }

    /// <summary>Refuses a tokeniser of another kind.</summary>
    /// <returns>The class if it says nothing without <c>tokenizer.json</c>, else null.</returns>
    /// <exception cref="ModelDirectoryException"><c>tokenizer_class</c> is not of this kind.</exception>
    public static string? CheckClass(JsonMembers members, TokenizerKind kind = TokenizerKind.WordPiece)
    {
        var name = members.Text("tokenizer_class");
        if (name is null || (kind is TokenizerKind.ByteLevel ? ByteLevelClasses : BertClasses).Contains(name)) return null;
        if (GeneralClasses.Contains(name)) return name;
        throw members.Wrong(kind is TokenizerKind.ByteLevel
            ? $"tokenizer_class is \"{name}\"; only RoBERTa's byte-level tokeniser can be served for this model"
            : $"tokenizer_class is \"{name}\"; only BERT's tokeniser can be served");
    }

    // Special tokens with a role, and others.
    private static (SpecialTokenRoles Roles, List<AddedToken> Named) Names(JsonMembers members, TokenizerKind kind)
    {
        if (kind is TokenizerKind.WordPiece) return (SpecialTokenRoles.Standard, SpecialTokens.ReadNames(members));
        var roles = SpecialTokenRoles.Read(members);
        return (roles, [.. SpecialTokens.ReadLists(members).Where(token => !roles.Contains(token.Content))]);
    }

    private static TokenizerSettings Config(JsonMembers members, TokenizerKind kind)
    {
        foreach (var name in (string[])["split_special_tokens", "add_bos_token", "add_eos_token"]) members.Expect(name, "false");
        members.Expect("init_inputs", "[]");
        members.Expect("truncation_side", "\"right\"");
        members.Expect("truncation_strategy", "\"longest_first\"");
        members.PassOver(Harmless);
        var (roles, named) = Names(members, kind);
        var settings = new TokenizerSettings
        {
            GeneralClass = CheckClass(members, kind),
            MaxTokens = Longest(members),
            GivesTypes = Types(members, kind),
            AddedTokens = Decoder(members),
            Roles = roles,
            Named = named,
        };
        return kind is TokenizerKind.ByteLevel ? settings.OfBytes(members) : settings.OfWords(members);
    }

    private TokenizerSettings OfBytes(JsonMembers members)
    {
        // How bytes become text again, and where in the text a token stands.
        members.PassOver("errors", "trim_offsets");
        // A tokeniser of this kind that lower-cases is another one.
        members.Expect("do_lower_case", "false");
        return this with { AddPrefixSpace = members.Flag("add_prefix_space") };
    }

    private TokenizerSettings OfWords(JsonMembers members)
    {
        foreach (var name in (string[])["do_basic_tokenize", "clean_text"]) members.Expect(name, "true");
        members.Expect("add_prefix_space", "false");
        members.Expect("wordpieces_prefix", "\"##\"");
        foreach (var token in members.Array("never_split"))
        {
            if (token.ValueKind is not JsonValueKind.String || !SpecialTokens.Contains(token.GetString()!))
                throw members.Wrong($"never_split has {JsonMembers.Shown(token)}, which is not supported");
        }

        return this with
        {
            Lowercase = members.Flag("do_lower_case"),
            StripAccents = members.Flag("strip_accents"),
            StripAccentsAsLowercase = members.Has("strip_accents") && members.Flag("strip_accents") is null,
            SeparateIdeographs = members.Flag("tokenize_chinese_chars"),
        };
    }

    // By the names of what the model is given, or else by those of the tokeniser's class.
    private static bool Types(JsonMembers members, TokenizerKind kind)
    {
        const string name = "model_input_names";
        if (members.Value(name) is null)
        {
            var type = members.Text("tokenizer_class");
            return kind is TokenizerKind.WordPiece ? !TypelessClasses.Contains(type) : GeneralClasses.Contains(type);
        }

        var given = members.Array(name).ToList();
        if (given.Find(element => element.ValueKind is not JsonValueKind.String) is { ValueKind: not JsonValueKind.Undefined } other)
            throw members.Wrong($"{name} has {JsonMembers.Shown(other)}, which is no name");
        return given.Exists(element => element.ValueEquals("token_type_ids"));
    }

    // Where there is no limit transformers writes 10^30, as a float or as the whole number that it is nearest to.
    private static int Longest(JsonMembers members)
    {
        var (now, before) = (members.Value("model_max_length"), members.Value("max_len"));
        if ((now ?? before) is not { } value) return int.MaxValue;
        if (value.ValueKind is not JsonValueKind.Number || !value.TryGetDouble(out var number) || number < 3)
            throw members.Wrong($"model_max_length is {JsonMembers.Shown(value)}; it must be at least 3");
        if (number < int.MaxValue && number != Math.Floor(number)) throw members.Wrong($"model_max_length is {JsonMembers.Shown(value)}, which is not a whole number");
        return number >= int.MaxValue ? int.MaxValue : (int)number;
    }

    private static List<AddedToken> Decoder(JsonMembers members)
    {
        const string name = "added_tokens_decoder";
        var tokens = new List<AddedToken>();
        foreach (var member in members.Object(name)?.All ?? [])
        {
            if (!int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw members.Wrong($"{name} has the id \"{member.Name}\", which is not a whole number");
            tokens.Add(AddedToken.Read(id, members.Within($"{name}.{id}", member.Value)));
        }

        return tokens;
    }

    // An older form, without properties: transformers takes them as not normalised where they are named as special.
    private TokenizerSettings WithAddedTokens(JsonMembers members, TokenizerKind kind)
    {
        var known = AddedTokens.ToLookup(token => token.Content, StringComparer.Ordinal);
        var named = Named.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        var tokens = new List<AddedToken>();
        foreach (var content in members.All.Select(member => member.Name))
        {
            var id = members.Number(content) ?? throw members.Wrong($"\"{content}\" has no id");
            if (AddedTokens.Count > 0 && !known[content].Any(token => token.Id == id))
                throw members.Wrong($"\"{content}\" has the id {id}, but not so in added_tokens_decoder of {TokenizerConfig.FileName}");
            var special = named.Contains(content) || (kind is TokenizerKind.ByteLevel ? Roles.Contains(content) : SpecialTokens.Contains(content));
            tokens.Add(new(id, content, Normalized: !special, Special: special));
        }

        return AddedTokens.Count > 0 ? this : this with { AddedTokens = tokens, AddedTokensSource = AddedTokensFileName };
    }
}
