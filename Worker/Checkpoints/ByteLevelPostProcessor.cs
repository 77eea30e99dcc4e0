using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// The part of a byte-level <c>tokenizer.json</c> that puts special tokens around texts: it must put them where RoBERTa has
/// them.
/// </summary>
internal static class ByteLevelPostProcessor
{
    /// <summary>Reads which tokens they are, and refuses any other form.</summary>
    /// <param name="processor">The member <c>post_processor</c>.</param>
    /// <returns>The token that begins a text and the one that ends it.</returns>
    /// <exception cref="ModelDirectoryException">It is of another form.</exception>
    public static ((string Content, int Id) Cls, (string Content, int Id) Sep) Read(JsonMembers processor)
    {
        switch (processor.Text("type"))
        {
            case "RobertaProcessing":
                var (cls, sep) = (Token(processor, "cls"), Token(processor, "sep"));
                // Where a token stands in the text is not told here.
                processor.PassOver("trim_offsets", "add_prefix_space");
                processor.RefuseOthers();
                return (cls, sep);
            case "TemplateProcessing":
                return Template(processor);
            case "Sequence":
                return Sequence(processor);
            case var other:
                throw processor.Wrong($"{processor.Name("type")} is \"{other}\"; only RobertaProcessing and TemplateProcessing can be served");
        }
    }

    /// <summary>Whether a template gives any token another type than 0; RobertaProcessing never does.</summary>
    public static bool HasTypes(JsonElement processor) => processor.ValueKind switch
    {
        JsonValueKind.Object => processor.EnumerateObject().Any(member => member.NameEquals("type_id") ? member.Value.GetRawText() != "0" : HasTypes(member.Value)),
        JsonValueKind.Array => processor.EnumerateArray().Any(HasTypes),
        _ => false,
    };

    // ByteLevel only moves the places of tokens.
    private static ((string Content, int Id) Cls, (string Content, int Id) Sep) Sequence(JsonMembers processor)
    {
        var others = processor.Array("processors").Select((element, index) => processor.Within($"processors[{index}]", element))
            .Where(inner => inner.Text("type") is not "ByteLevel").ToList();
        processor.RefuseOthers();
        return others.Count == 1 ? Read(others[0])
            : throw processor.Wrong($"{processor.Name("processors")} has {others.Count} that put tokens in; only one can be served");
    }

    private static ((string Content, int Id) Cls, (string Content, int Id) Sep) Template(JsonMembers processor)
    {
        var single = PostProcessor.Pieces(processor, "single");
        var pair = PostProcessor.Pieces(processor, "pair");
        if (single.Split(' ') is not [var cls, "$A", var sep] || cls == sep) throw processor.Wrong($"{processor.Name("single")} is \"{single}\"; only \"<s> $A </s>\" can be served");
        if (pair != $"{cls} $A {sep} {sep} $B {sep}") throw processor.Wrong($"{processor.Name("pair")} is \"{pair}\"; only \"{cls} $A {sep} {sep} $B {sep}\" can be served");
        var ids = processor.Object("special_tokens")?.All.ToDictionary(token => token.Name, token => token.Value) ?? [];
        processor.RefuseOthers();
        return ((cls, Id(cls)), (sep, Id(sep)));

        int Id(string token) =>
            ids.TryGetValue(token, out var value) && PostProcessor.SingleId(value) is { } id ? id : throw processor.Wrong($"{processor.Name("special_tokens")} has no id of \"{token}\"");
    }

    private static (string Content, int Id) Token(JsonMembers processor, string name) => processor.Value(name) switch
    {
        { ValueKind: JsonValueKind.Array } pair when pair.GetArrayLength() == 2 && pair[0].ValueKind is JsonValueKind.String
            && pair[1].ValueKind is JsonValueKind.Number && pair[1].TryGetInt32(out var id) => (pair[0].GetString()!, id),
        null => throw processor.Wrong($"{processor.Name(name)} is missing"),
        { } other => throw processor.Wrong($"{processor.Name(name)} is {JsonMembers.Shown(other)}; it must be a token with its id"),
    };
}
