using Lab.Worker.Checkpoints;

namespace Lab.Worker.Graphs;

// Products of matrices, of floats or of bytes with a scale for each row.
internal sealed partial class ClassifierGraph
{
    private const string Center = "center";
    private const string Low = "low";
    private const string Smallest = "smallest";
    private const string PerStep = "per_step";
    private const string PerUpperStep = "per_upper_step";
    private const string LeastUpperStep = "least_upper_step";

    // GELU is nowhere less than this below zero, for which so many of the 255 steps are kept.
    private const float GeluDepth = 0.17f;
    private const int GeluSteps = 32;

    // What several products read is made bytes of once.
    private readonly Dictionary<string, (string Bytes, string Scale)> _quantized = [];
    private string _zeros = "";
    private string _lowZeros = "";

    // input · weightsᵀ + bias, the weights one below the other.
    private string Product(string output, string input, string? bias, params ReadOnlySpan<string> weights)
    {
        var name = weights.Length == 1 ? weights[0] : $"{output}.weight";
        if (_levels is not { } levels)
            return Floats(output, input, weights.Length == 1 ? Add(name) : _graph.Add(_weights.Stack(name, weights)), bias);
        if (!_quantized.TryGetValue(input, out var rows)) _quantized[input] = rows = Quantized(input);
        return Bytes(output, rows, _weights.Quantize(name, levels, weights), bias, Center);
    }

    // A product whose input is nowhere far below zero: nearly one bit more than a sign would leave.
    private string Outer(string output, string input, string bias, string weight)
    {
        if (_levels is not { } levels) return Floats(output, input, Add(weight), Add(bias));
        var largest = Reduced($"{input}.largest", "ReduceMax", input);
        var magnitude = _graph.Node($"{input}.magnitude", "Mul", largest, PerUpperStep).Name;
        var scale = _graph.Node($"{input}.scale", "Max", magnitude, LeastUpperStep).Name;
        return Bytes(output, Quantized(input, scale, _lowZeros), _weights.Quantize(weight, levels, weight), Add(bias), Low);
    }

    private void Quantization()
    {
        var gelu = _config.Activation is Activation.Gelu;
        var low = gelu ? GeluSteps : 0;
        _graph.ByteConstant(Center, 128);
        _graph.ByteConstant(Low, (byte)low);
        // So that dividing by the scale gives no infinity; a row of nothing but zeros has any scale.
        _graph.Constant(Smallest, 1e-30f);
        _graph.Constant(PerStep, 1f / 127);
        _graph.Constant(PerUpperStep, 1f / (255 - low));
        _graph.Constant(LeastUpperStep, gelu ? GeluDepth / low : 1e-30f);
        Zeros(TokenIds);
    }

    // The zero points of as many rows.
    private void Zeros(string rows)
    {
        var shape = _graph.Node($"{rows}.shape", "Shape", rows).Name;
        _zeros = _graph.Node($"{rows}.zeros", "Expand", Center, shape).Name;
        _lowZeros = _graph.Node($"{rows}.low_zeros", "Expand", Low, shape).Name;
    }

    // Each row with a scale of its own (Dettmers et al., arXiv:2208.07339, section 3.1): no text sees what travels with it.
    private (string Bytes, string Scale) Quantized(string input)
    {
        var largest = Reduced($"{input}.largest", "ReduceMax", input);
        var depth = _graph.Node($"{input}.depth", "Neg", Reduced($"{input}.least", "ReduceMin", input)).Name;
        var magnitude = _graph.Node($"{input}.magnitude", "Max", largest, depth, Smallest).Name;
        return Quantized(input, _graph.Node($"{input}.scale", "Mul", magnitude, PerStep).Name, _zeros);
    }

    private (string Bytes, string Scale) Quantized(string input, string scale, string zeros) =>
        (_graph.Node($"{input}.bytes", "QuantizeLinear", input, scale, zeros).With("axis", 0L).Name,
        _graph.Node($"{input}.column", "Unsqueeze", scale, ImageAxes).Name);

    private string Reduced(string output, string type, string input) =>
        _graph.Node(output, type, input).With("axes", [1L, 2L]).With("keepdims", 0L).Name;

    private string Bytes(string output, (string Bytes, string Scale) input, (Weight Matrix, Weight Scales) weight, string? bias, string zero)
    {
        var product = _graph.Node($"{output}.product", "MatMulIntegerToFloat", input.Bytes, _graph.Add(weight.Matrix), One, _graph.Add(weight.Scales), zero).Contrib().Name;
        return bias is null
            ? _graph.Node(output, "Mul", product, input.Scale).Name
            : _graph.Node(output, "Add", _graph.Node($"{output}.scaled", "Mul", product, input.Scale).Name, bias).Name;
    }

    // The weight stays [out, in] as it is stored: transposing is done once, when the runtime packs it.
    private string Floats(string output, string input, string weight, string? bias)
    {
        var product = _graph.Node(bias is null ? output : $"{output}.product", "FusedMatMul", input, weight).Contrib().With("transB", 1L).Name;
        return bias is null ? product : _graph.Node(output, "Add", product, bias).Name;
    }
}
