using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// Model directories of any shape with random weights: for measuring how fast a shape is, and for tests.
/// The same arguments give the same bytes.
/// </summary>
internal static class RandomModelDirectory
{
    /// <summary>DistilBERT's <c>initializer_range</c>.</summary>
    public const float StandardSpread = 0.02f;

    /// <summary>Writes <c>config.json</c>, <c>model.safetensors</c> and <c>vocab.txt</c>.</summary>
    /// <param name="directory">The directory, made where it does not exist.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="type">How weights are stored.</param>
    /// <param name="spread">The standard deviation of the weights; larger values bring logits further apart.</param>
    /// <exception cref="ModelDirectoryException">The shape is impossible.</exception>
    public static void Write(
        string directory, EncoderConfig config, int seed, StoredType type = StoredType.F32, float spread = StandardSpread)
    {
        config.Validate(Path.Combine(directory, EncoderConfig.FileName));
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, EncoderConfig.FileName), Json(config));
        File.WriteAllLines(Path.Combine(directory, "vocab.txt"), Vocabulary(config.VocabSize));
        var random = new Random(seed);
        var tensors = EncoderTensors.Of(config)
            .Select(tensor => tensor with { Name = EncoderTensors.IsOfEncoder(tensor.Name) ? EncoderTensors.Prefix + tensor.Name : tensor.Name })
            .ToList();
        SafetensorsWriter.Write(Path.Combine(directory, EncoderWeights.FileName), tensors, type, (tensor, values) =>
        {
            // The scales of layer normalisations lie around one; all else lies around nothing.
            var centre = tensor.Name.Contains("norm.weight", StringComparison.OrdinalIgnoreCase) ? 1f : 0f;
            // A uniform distribution of that standard deviation.
            var width = spread * MathF.Sqrt(12);
            foreach (ref var value in values) value = centre + (random.NextSingle() - 0.5f) * width;
        });
    }

    private static string Json(EncoderConfig config)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("model_type", "distilbert");
            writer.WriteString("activation", config.Activation is Activation.Gelu ? "gelu" : "relu");
            writer.WriteNumber("dim", config.Dim);
            writer.WriteNumber("hidden_dim", config.HiddenDim);
            writer.WriteNumber("n_heads", config.Heads);
            writer.WriteNumber("n_layers", config.Layers);
            writer.WriteNumber("max_position_embeddings", config.MaxPositions);
            writer.WriteNumber("vocab_size", config.VocabSize);
            if (config.Problem is not ProblemType.SingleLabel)
                writer.WriteString("problem_type", config.Problem is ProblemType.MultiLabel ? "multi_label_classification" : "regression");
            writer.WriteStartObject("id2label");
            foreach (var (id, label) in config.Labels.Index()) writer.WriteString($"{id}", label);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length);
    }

    // Characters first, so that any English text has tokens other than [UNK].
    private static IEnumerable<string> Vocabulary(int size)
    {
        var characters = Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => !char.IsAsciiLetterUpper(c)).ToList();
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        return special
            .Concat(characters.Select(c => $"{c}"))
            .Concat(characters.Where(char.IsAsciiLetterOrDigit).Select(c => $"##{c}"))
            .Concat(Enumerable.Range(0, size).Select(n => $"word{n}"))
            .Take(size);
    }
}
