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
    /// <summary>The <c>initializer_range</c> that all architectures have.</summary>
    public const float StandardSpread = 0.02f;

    /// <summary>Writes <c>config.json</c>, <c>model.safetensors</c> and the tokenizer's files.</summary>
    /// <param name="directory">The directory, made where it does not exist.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="seed">The seed of the weights.</param>
    /// <param name="type">How weights are stored.</param>
    /// <param name="spread">The standard deviation of the weights; larger values bring logits further apart.</param>
    /// <exception cref="ModelDirectoryException">The shape is impossible.</exception>
    public static void Write(
        string directory, EncoderConfig config, int seed, StoredType type = StoredType.F32, float spread = StandardSpread)
    {
        var path = Path.Combine(directory, EncoderConfig.FileName);
        config.Validate(path);
        if (config.Tokenizer is TokenizerKind.ByteLevel && config.VocabSize < RandomVocabulary.MinByteLevel)
            throw new ModelDirectoryException(path, $"vocab_size is {config.VocabSize}; a tokenizer of bytes has at least {RandomVocabulary.MinByteLevel} tokens");
        Directory.CreateDirectory(directory);
        File.WriteAllText(path, Json(config));
        if (config.Tokenizer is TokenizerKind.ByteLevel) RandomVocabulary.WriteByteLevel(directory, config.VocabSize);
        else File.WriteAllLines(Path.Combine(directory, Vocabulary.FileName), RandomVocabulary.WordPieces(config.VocabSize));
        var random = new Random(seed);
        List<TensorShape> tensors = [.. EncoderTensors.Of(config)];
        SafetensorsWriter.Write(Path.Combine(directory, EncoderWeights.FileName), tensors, type, (tensor, values) =>
        {
            // The scales of layer normalisations lie around one; all else lies around nothing.
            var centre = tensor.Role.EndsWith("norm.weight", StringComparison.Ordinal) ? 1f : 0f;
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
            var members = config.Architecture.Members;
            writer.WriteString("model_type", config.Architecture.ModelType);
            writer.WriteString(members.Activation, config.Activation is Activation.Gelu ? "gelu" : "relu");
            writer.WriteNumber(members.Dim[0], config.Dim);
            writer.WriteNumber(members.HiddenDim[0], config.HiddenDim);
            writer.WriteNumber(members.Heads[0], config.Heads);
            writer.WriteNumber(members.Layers[0], config.Layers);
            writer.WriteNumber("max_position_embeddings", config.PositionRows);
            writer.WriteNumber("vocab_size", config.VocabSize);
            if (members.TypeRows is { } types) writer.WriteNumber(types, config.TypeRows);
            if (members.PadId is { } padId) writer.WriteNumber(padId, config.PadId);
            if (members.LayerNormEpsilon is { } epsilon) writer.WriteNumber(epsilon, config.LayerNormEpsilon);
            if (config.Problem is not ProblemType.SingleLabel)
                writer.WriteString("problem_type", config.Problem is ProblemType.MultiLabel ? "multi_label_classification" : "regression");
            writer.WriteStartObject("id2label");
            foreach (var (id, label) in config.Labels.Index()) writer.WriteString($"{id}", label);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length);
    }
}
