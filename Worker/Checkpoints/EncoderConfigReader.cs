using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Checkpoints;

/// <summary>Reads the members of <c>config.json</c>.</summary>
/// <param name="path">The file to name in messages.</param>
/// <param name="root">What is in it.</param>
internal readonly ref struct EncoderConfigReader(string path, JsonElement root)
{
    /// <summary>Reads them all.</summary>
    /// <exception cref="ModelDirectoryException">A member asks for an impossible model, or for one that is not known.</exception>
    public EncoderConfig Read()
    {
        if (root.ValueKind is not JsonValueKind.Object) throw Wrong("is not a JSON object");
        var type = Text("model_type") ?? throw Wrong($"model_type is missing; it must be one of {Architectures.Types}");
        var architecture = Architectures.Find(type) ?? throw Wrong($"model_type is \"{type}\"{UnservedModels.WhyType(type)}; only {Architectures.Types} can be served");
        ConfigMembers.Check(JsonMembers.Of(path, root), architecture);
        var (members, standard) = (architecture.Members, architecture.Standard);
        var padId = members.PadId is { } pad ? Number(pad) ?? standard.PadId : 0;
        var config = new EncoderConfig
        {
            Architecture = architecture,
            Dim = Number(members.Dim) ?? standard.Dim,
            HiddenDim = Number(members.HiddenDim) ?? standard.HiddenDim,
            Heads = Number(members.Heads) ?? standard.Heads,
            Layers = Number(members.Layers) ?? standard.Layers,
            VocabSize = Number("vocab_size") ?? standard.VocabSize,
            TypeRows = members.TypeRows is { } types ? Number(types) ?? standard.TypeRows : 0,
            PadId = padId,
            LayerNormEpsilon = members.LayerNormEpsilon is { } epsilon ? Float(epsilon) ?? standard.LayerNormEpsilon : standard.LayerNormEpsilon,
            Activation = Text(members.Activation) switch
            {
                null or "gelu" => Activation.Gelu,
                "relu" => Activation.Relu,
                var other => throw Wrong($"{members.Activation} is \"{other}\"; it must be gelu or relu"),
            },
            Problem = Text("problem_type") switch
            {
                null or "single_label_classification" => ProblemType.SingleLabel,
                "multi_label_classification" => ProblemType.MultiLabel,
                "regression" => ProblemType.Regression,
                var other => throw Wrong($"problem_type is \"{other}\"; it must be single_label_classification, multi_label_classification or regression"),
            },
            Labels = Labels(),
        };
        // What is left of the table of positions is known once it is known where it begins.
        config = config with { MaxPositions = (Number("max_position_embeddings") ?? EncoderConfig.StandardPositionRows) - config.FirstPosition };
        config.Validate(path);
        return config;
    }

    private string[] Labels()
    {
        var count = Number("num_labels");
        if (!root.TryGetProperty("id2label", out var map) || map.ValueKind is JsonValueKind.Null)
        {
            // Bounded before anything of that size is made.
            if (count is < 1 or > 1 << 12) throw Wrong($"num_labels is {count}; it must be 1 to {1 << 12}");
            return [.. Enumerable.Range(0, count ?? 2).Select(id => $"LABEL_{id}")];
        }

        if (map.ValueKind is not JsonValueKind.Object) throw Wrong("id2label is not an object");
        var labels = new string?[map.EnumerateObject().Count()];
        foreach (var entry in map.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, out var id) || id < 0 || id >= labels.Length || labels[id] is not null)
                throw Wrong($"id2label has the id \"{entry.Name}\"; ids must be 0 to {labels.Length - 1}, each once");
            labels[id] = entry.Value.ValueKind is JsonValueKind.String && entry.Value.GetString() is { Length: > 0 } label
                ? label
                : throw Wrong($"id2label has no name for the id {id}");
        }

        if (count is not null && count != labels.Length)
            throw Wrong($"num_labels is {count}, but id2label has {labels.Length} labels");
        return labels!;
    }

    // Whichever of the names is there, if all say the same.
    private int? Number(string[] names)
    {
        int? value = null;
        foreach (var name in names)
        {
            if (Number(name) is not { } number) continue;
            value = value is null || value == number ? number : throw Wrong($"{names[0]} is {value}, but {name} is {number}");
        }

        return value;
    }

    private float? Float(string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        return value.ValueKind is JsonValueKind.Number && value.TryGetSingle(out var number) ? number : throw Wrong($"{name} is not a number");
    }

    private int? Number(string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        return value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw Wrong($"{name} is not a whole number of 32 bits");
    }

    private string? Text(string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        return value.ValueKind is JsonValueKind.String ? value.GetString() : throw Wrong($"{name} is not a string");
    }

    private ModelDirectoryException Wrong(string problem) => new(path, problem);
}
