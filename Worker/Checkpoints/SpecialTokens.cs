using System.Collections.Frozen;
using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// BERT's special tokens. Unlike other added tokens they are never found in a text: whoever sends one could else inject
/// a separator.
/// </summary>
internal static class SpecialTokens
{
    /// <summary>Begins every text.</summary>
    public const string Cls = "[CLS]";

    /// <summary>Ends every text.</summary>
    public const string Sep = "[SEP]";

    /// <summary>Fills up texts in other programs; here none is filled up.</summary>
    public const string Pad = "[PAD]";

    private const int NoId = -1;

    private static readonly FrozenDictionary<string, string> Roles = new Dictionary<string, string>
    {
        ["cls_token"] = Cls,
        ["sep_token"] = Sep,
        ["pad_token"] = Pad,
        ["unk_token"] = Vocabulary.UnknownToken,
        ["mask_token"] = "[MASK]",
    }.ToFrozenDictionary();

    private static readonly FrozenSet<string> Contents = Roles.Values.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether this is one of the five.</summary>
    public static bool Contains(string content) => Contents.Contains(content);

    /// <summary>Reads the members that name special tokens, in <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.</summary>
    /// <returns>Further tokens that are named there, besides the five: with their properties, but without an id.</returns>
    /// <exception cref="ModelDirectoryException">One of the five is another than BERT's, or one has members that are not known.</exception>
    public static List<AddedToken> ReadNames(JsonMembers members)
    {
        foreach (var (role, expected) in Roles)
        {
            if (members.Value(role) is { } value && Token(members, role, value).Content is var content && content != expected)
                throw members.Wrong($"{role} is \"{content}\"; only {expected} can be served");
        }

        var further = new List<AddedToken>();
        foreach (var role in (string[])["bos_token", "eos_token"])
            if (members.Value(role) is { } value) further.Add(Token(members, role, value));
        further.AddRange(ReadLists(members));
        further.RemoveAll(token => Contains(token.Content));
        return further;
    }

    /// <summary>Reads the members that name special tokens without a role: with their properties, but without an id.</summary>
    /// <exception cref="ModelDirectoryException">One names no token, or has members that are not known.</exception>
    public static List<AddedToken> ReadLists(JsonMembers members)
    {
        var further = new List<AddedToken>();
        foreach (var list in (string[])["additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens"])
        {
            // A list, or an object whose members are named as the model's author liked.
            if (members.Value(list) is { ValueKind: JsonValueKind.Object }) further.AddRange(members.Object(list)!.All.Select(token => Token(members, list, token.Value)));
            else further.AddRange(members.Array(list).Select(token => Token(members, list, token)));
        }

        return further;
    }

    /// <summary>A special token by its name, or by its name and properties.</summary>
    /// <exception cref="ModelDirectoryException">It names no token, or has members that are not known.</exception>
    public static AddedToken Token(JsonMembers members, string role, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.String)
        {
            var token = members.Within(role, value);
            return AddedToken.Read(NoId, token) with { Normalized = token.Flag("normalized") ?? false, Special = true };
        }

        return new(NoId, value.GetString() is { Length: > 0 } content ? content : throw members.Wrong($"{members.Name(role)} names no token"), Normalized: false, Special: true);
    }
}
