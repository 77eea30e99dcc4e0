using System.Text.Json;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Inference;

/// <summary>
/// DistilBERT's mathematics written down plainly in 64-bit floats, from the papers rather than from the worker's code:
/// one text at a time, every position of every layer, no fusing.
/// </summary>
internal sealed class ReferenceEncoder
{
    private const double Epsilon = 1e-12;

    private readonly Dictionary<string, double[]> _weights = [];
    private readonly EncoderConfig _config;

    public ReferenceEncoder(string directory, EncoderConfig config)
    {
        _config = config;
        // One file, or all shards.
        foreach (var path in Directory.EnumerateFiles(directory, "*.safetensors")) Read(path);
    }

    /// <summary>The logits of one text.</summary>
    public double[] Logits(int[] tokenIds)
    {
        var hidden = tokenIds.Select((id, position) => Normalise(
            Sum(Row("embeddings.word_embeddings.weight", id), Row("embeddings.position_embeddings.weight", position)),
            "embeddings.LayerNorm")).ToArray();
        for (var layer = 0; layer < _config.Layers; layer++) hidden = Layer($"transformer.layer.{layer}", hidden);
        var pooled = Linear("pre_classifier", hidden[0]).Select(x => Math.Max(x, 0)).ToArray();
        return Linear("classifier", pooled);
    }

    private void Read(string path)
    {
        var file = File.ReadAllBytes(path);
        var headerLength = (int)BitConverter.ToUInt64(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        foreach (var entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            var begin = 8 + headerLength + entry.Value.GetProperty("data_offsets")[0].GetInt32();
            var end = 8 + headerLength + entry.Value.GetProperty("data_offsets")[1].GetInt32();
            Func<int, double> element = entry.Value.GetProperty("dtype").GetString() switch
            {
                "F32" => i => BitConverter.ToSingle(file, begin + 4 * i),
                "F16" => i => (double)BitConverter.ToHalf(file, begin + 2 * i),
                _ => i => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(file, begin + 2 * i) << 16),
            };
            var count = (end - begin) / (entry.Value.GetProperty("dtype").GetString() == "F32" ? 4 : 2);
            _weights[entry.Name.Replace("distilbert.", "", StringComparison.Ordinal)] = [.. Enumerable.Range(0, count).Select(element)];
        }
    }

    private double[][] Layer(string name, double[][] hidden)
    {
        var query = hidden.Select(x => Linear($"{name}.attention.q_lin", x)).ToArray();
        var key = hidden.Select(x => Linear($"{name}.attention.k_lin", x)).ToArray();
        var value = hidden.Select(x => Linear($"{name}.attention.v_lin", x)).ToArray();
        return [.. hidden.Select((x, i) =>
        {
            var attention = Linear($"{name}.attention.out_lin", Attend(query[i], key, value));
            var attended = Normalise(Sum(x, attention), $"{name}.sa_layer_norm");
            var inner = Linear($"{name}.ffn.lin1", attended).Select(Activate).ToArray();
            return Normalise(Sum(attended, Linear($"{name}.ffn.lin2", inner)), $"{name}.output_layer_norm");
        })];
    }

    // Vaswani et al., arXiv:1706.03762, section 3.2: softmax(q·kᵀ/√d)·v in each head.
    private double[] Attend(double[] query, double[][] keys, double[][] values)
    {
        var size = _config.Dim / _config.Heads;
        var output = new double[_config.Dim];
        for (var head = 0; head < _config.Heads; head++)
        {
            var first = head * size;
            var scores = keys.Select(key =>
                Enumerable.Range(first, size).Sum(d => query[d] * key[d]) / Math.Sqrt(size)).ToArray();
            var exponentials = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
            for (var d = first; d < first + size; d++)
                output[d] = values.Select((value, j) => value[d] * exponentials[j]).Sum() / exponentials.Sum();
        }

        return output;
    }

    private double[] Linear(string name, double[] x)
    {
        var weight = _weights[$"{name}.weight"];
        return [.. _weights[$"{name}.bias"].Select((bias, row) =>
            bias + Enumerable.Range(0, x.Length).Sum(column => weight[row * x.Length + column] * x[column]))];
    }

    private double[] Normalise(double[] x, string name)
    {
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + Epsilon);
        return [.. x.Select((v, i) => (v - mean) / deviation * _weights[$"{name}.weight"][i] + _weights[$"{name}.bias"][i])];
    }

    private double Activate(double x) =>
        _config.Activation is Activation.Relu ? Math.Max(x, 0) : x * 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    // The Maclaurin series; where it would lose digits, erf is 1 but for 1e-11.
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 4.8) return Math.Sign(x);
        double term = x, sum = x;
        for (var n = 1; n < 200; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private double[] Row(string name, int row) => _weights[name].AsSpan(row * _config.Dim, _config.Dim).ToArray();

    private static double[] Sum(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];
}
