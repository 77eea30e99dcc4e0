using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// The part of <c>tokenizer.json</c> that puts special tokens around texts, and gives each token its type: it must put [CLS]
/// and [SEP] where BERT has them.
/// </summary>
internal static class PostProcessor
{
    private const string Single = $"{SpecialTokens.Cls} $A {SpecialTokens.Sep}";
    private const string Pair = $"{Single} $B {SpecialTokens.Sep}";

    // Of [CLS] A [SEP] B [SEP].
    private const string BertTypes = "0 0 0 1 1";
    private const string NoTypes = "0 0 0 0 0";

    /// <summary>Refuses any other.</summary>
    /// <param name="processor">The member <c>post_processor</c>.</param>
    /// <param name="tokens">The vocabulary by id.</param>
    /// <returns>Whether the tokens of a pair's second text have the type 1, and not 0 as all others.</returns>
    /// <exception cref="ModelDirectoryException">It is another, or its ids are not the vocabulary's.</exception>
    public static bool Check(JsonMembers processor, string[] tokens)
    {
        var types = BertTypes;
        switch (processor.Text("type"))
        {
            case "TemplateProcessing":
                Template(processor, "single", Single);
                Template(processor, "pair", Pair);
                types = Types(processor);
                foreach (var token in processor.Object("special_tokens")?.All ?? []) SpecialToken(processor, token, tokens);
                break;
            case "BertProcessing":
                processor.Require("cls", $"[\"{SpecialTokens.Cls}\",{Id(SpecialTokens.Cls)}]");
                processor.Require("sep", $"[\"{SpecialTokens.Sep}\",{Id(SpecialTokens.Sep)}]");
                break;
            case var other:
                throw processor.Wrong($"{processor.Name("type")} is \"{other}\"; only TemplateProcessing and BertProcessing can be served");
        }

        processor.RefuseOthers();
        return types == BertTypes;

        int Id(string token) => Array.IndexOf(tokens, token);
    }

    /// <summary>A template's tokens and texts, each as <c>[CLS]</c> or <c>$A</c>, with spaces between them.</summary>
    public static string Pieces(JsonMembers processor, string name) =>
        string.Join(' ', processor.Array(name).Select((piece, index) => Piece(processor.Within($"{name}[{index}]", piece))));

    /// <summary>The id of a template's special token, or null where it has none or several.</summary>
    public static int? SingleId(JsonElement token) =>
        token.ValueKind is JsonValueKind.Object
        && token.TryGetProperty("ids", out var ids) && ids is { ValueKind: JsonValueKind.Array } && ids.GetArrayLength() == 1
        && ids[0].ValueKind is JsonValueKind.Number && ids[0].TryGetInt32(out var id) ? id : null;

    private static void Template(JsonMembers processor, string name, string expected)
    {
        var pieces = Pieces(processor, name);
        if (pieces != expected) throw processor.Wrong($"{processor.Name(name)} is \"{pieces}\"; only \"{expected}\" can be served");
    }

    private static string Piece(JsonMembers piece)
    {
        var (token, sequence) = (piece.Object("SpecialToken"), piece.Object("Sequence"));
        piece.RefuseOthers();
        return token?.Text("id") ?? $"${sequence?.Text("id")}";
    }

    private static string Types(JsonMembers processor)
    {
        var pair = string.Join(' ', processor.Array("pair").Select((piece, index) => Type(processor.Within($"pair[{index}]", piece))));
        var single = string.Join(' ', processor.Array("single").Select((piece, index) => Type(processor.Within($"single[{index}]", piece))));
        if (single is not "0 0 0") throw processor.Wrong($"{processor.Name("single")} has the type_ids {single}; only 0 0 0 can be served");
        return pair is BertTypes or NoTypes ? pair : throw processor.Wrong($"{processor.Name("pair")} has the type_ids {pair}; only {BertTypes} and {NoTypes} can be served");

        static int Type(JsonMembers piece) => (piece.Object("SpecialToken") ?? piece.Object("Sequence"))?.Number("type_id") ?? 0;
    }

    private static void SpecialToken(JsonMembers processor, JsonProperty token, string[] tokens)
    {
        if (SingleId(token.Value) is { } id && id >= 0 && id < tokens.Length && tokens[id] == token.Name) return;
        throw processor.Wrong($"{processor.Name("special_tokens")} has not \"{token.Name}\" with the id that it has in model.vocab");
    }
}
