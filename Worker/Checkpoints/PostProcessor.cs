using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// The part of <c>tokenizer.json</c> that puts special tokens around texts: it must put [CLS] and [SEP] where BERT has
/// them. Token types are not looked at, since DistilBERT has none.
/// </summary>
internal static class PostProcessor
{
    private const string Single = $"{SpecialTokens.Cls} $A {SpecialTokens.Sep}";
    private const string Pair = $"{Single} $B {SpecialTokens.Sep}";

    /// <summary>Refuses any other.</summary>
    /// <param name="processor">The member <c>post_processor</c>.</param>
    /// <param name="tokens">The vocabulary by id.</param>
    /// <exception cref="ModelDirectoryException">It is another, or its ids are not the vocabulary's.</exception>
    public static void Check(JsonMembers processor, string[] tokens)
    {
        switch (processor.Text("type"))
        {
            case "TemplateProcessing":
                Template(processor, "single", Single);
                Template(processor, "pair", Pair);
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

        int Id(string token) => Array.IndexOf(tokens, token);
    }

    private static void Template(JsonMembers processor, string name, string expected)
    {
        var pieces = string.Join(' ', processor.Array(name).Select((piece, index) => Piece(processor.Within($"{name}[{index}]", piece))));
        if (pieces != expected) throw processor.Wrong($"{processor.Name(name)} is \"{pieces}\"; only \"{expected}\" can be served");
    }

    private static string Piece(JsonMembers piece)
    {
        var (token, sequence) = (piece.Object("SpecialToken"), piece.Object("Sequence"));
        piece.RefuseOthers();
        return token?.Text("id") ?? $"${sequence?.Text("id")}";
    }

    private static void SpecialToken(JsonMembers processor, JsonProperty token, string[] tokens)
    {
        if (token.Value.ValueKind is JsonValueKind.Object
            && token.Value.TryGetProperty("ids", out var ids) && ids is { ValueKind: JsonValueKind.Array } && ids.GetArrayLength() == 1
            && ids[0].ValueKind is JsonValueKind.Number && ids[0].TryGetInt32(out var id) && id >= 0 && id < tokens.Length && tokens[id] == token.Name)
            return;
        throw processor.Wrong($"{processor.Name("special_tokens")} has not \"{token.Name}\" with the id that it has in model.vocab");
    }
}
