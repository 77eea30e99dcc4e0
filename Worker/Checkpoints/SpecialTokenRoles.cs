namespace Lab.Worker.Checkpoints;

/// <summary>
/// The special tokens of a byte-level model, each by its role; RoBERTa's names where a directory gives none. As BERT's
/// (<see cref="SpecialTokens"/>) they are never found in a text.
/// </summary>
internal sealed class SpecialTokenRoles
{
    /// <summary>Begins every text.</summary>
    public const string Cls = "cls_token";

    /// <summary>Ends every text.</summary>
    public const string Sep = "sep_token";

    /// <summary>Fills up texts in other programs; positions may be counted from it.</summary>
    public const string Pad = "pad_token";

    // The defaults of transformers' RobertaTokenizer.
    private static readonly Dictionary<string, string> Defaults = new()
    {
        [Cls] = "<s>",
        [Sep] = "</s>",
        ["bos_token"] = "<s>",
        ["eos_token"] = "</s>",
        [Pad] = "<pad>",
        ["unk_token"] = "<unk>",
        ["mask_token"] = "<mask>",
    };

    private readonly Dictionary<string, string> _named;

    private SpecialTokenRoles(Dictionary<string, string> named) => _named = named;

    /// <summary>RoBERTa's.</summary>
    public static SpecialTokenRoles Standard { get; } = new([]);

    /// <summary>The token in a role.</summary>
    public string this[string role] => _named.GetValueOrDefault(role, Defaults[role]);

    /// <summary>Whether a token has a role here.</summary>
    public bool Contains(string content) => Defaults.Keys.Any(role => this[role] == content);

    /// <summary>Reads the members that name special tokens, in <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.</summary>
    /// <exception cref="ModelDirectoryException">One names no token, or has members that are not known.</exception>
    public static SpecialTokenRoles Read(JsonMembers members)
    {
        var named = new Dictionary<string, string>();
        foreach (var role in Defaults.Keys)
            if (members.Value(role) is { } value) named.Add(role, SpecialTokens.Token(members, role, value).Content);
        return new(named);
    }

    /// <summary>Joins what another file names.</summary>
    /// <param name="other">What it names.</param>
    /// <param name="path">That file.</param>
    /// <exception cref="ModelDirectoryException">It names another token for a role.</exception>
    public SpecialTokenRoles And(SpecialTokenRoles other, string path)
    {
        foreach (var (role, content) in other._named)
        {
            if (_named.TryGetValue(role, out var here) && here != content)
                throw new ModelDirectoryException(path, $"{role} is \"{content}\", but \"{here}\" in {TokenizerConfig.FileName}");
        }

        return new(_named.Concat(other._named).DistinctBy(pair => pair.Key).ToDictionary());
    }
}
