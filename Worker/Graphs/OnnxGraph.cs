using System.Buffers.Binary;
using Google.Protobuf;
using Lab.Worker.Checkpoints;
using Lab.Worker.Graphs.Onnx;

namespace Lab.Worker.Graphs;

/// <summary>
/// An ONNX graph in the making. Weights are not copied into it: the model names them, and either the session is given
/// their addresses, or they are saved in a file beside the model's.
/// </summary>
internal sealed class OnnxGraph
{
    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string Microsoft = "com.microsoft";

    private const int OpsetVersion = 17;
    private const int IrVersion = 8;

    private readonly GraphProto _graph = new() { Name = "classifier" };
    // Where the runtime maps a file, a vector instruction wants whole cache lines.
    private const int Alignment = 64;

    private readonly List<(Weight Weight, TensorProto Tensor)> _weights = [];

    /// <summary>
    /// A file that exists, whose directory a session must be told of where it is given the weights' addresses: this program.
    /// No file of the model's will do, since the runtime follows no link out of the directory, as the hub's cache has them.
    /// </summary>
    public static string ExistingFile { get; } = Environment.ProcessPath ?? throw new PlatformNotSupportedException("The program's path is unknown.");

    /// <summary>The weights that the model names.</summary>
    public IEnumerable<Weight> Weights => _weights.Select(weight => weight.Weight);

    /// <summary>Declares an input; a dimension of variable size is given by name.</summary>
    public string Input(string name, TensorProto.Types.DataType type, params ReadOnlySpan<string> shape)
    {
        _graph.Input.Add(Value(name, type, shape));
        return name;
    }

    /// <summary>Declares an output.</summary>
    public void Output(string name, TensorProto.Types.DataType type, params ReadOnlySpan<string> shape) =>
        _graph.Output.Add(Value(name, type, shape));

    /// <summary>Adds a weight, and returns its name.</summary>
    public string Add(Weight weight)
    {
        var tensor = new TensorProto
        {
            Name = weight.Name,
            DataType = (int)(weight.Type switch
            {
                WeightType.Int8 => TensorProto.Types.DataType.Int8,
                WeightType.Half => TensorProto.Types.DataType.Float16,
                _ => TensorProto.Types.DataType.Float,
            }),
            DataLocation = TensorProto.Types.DataLocation.External,
        };
        tensor.Dims.Add(weight.Shape);
        // The runtime insists on a file that exists, but reads the tensor that the session is given under this name.
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = Path.GetFileName(ExistingFile) });
        _graph.Initializer.Add(tensor);
        _weights.Add((weight, tensor));
        return weight.Name;
    }

    /// <summary>Adds a small constant of whole numbers, and returns its name.</summary>
    public string Constant(string name, params ReadOnlySpan<long> values)
    {
        var bytes = new byte[values.Length * sizeof(long)];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)TensorProto.Types.DataType.Int64,
            RawData = ByteString.CopyFrom(bytes),
        };
        tensor.Dims.Add(values.Length);
        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>Adds a vector of one number, and returns its name.</summary>
    public string Constant(string name, float value)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Float };
        tensor.Dims.Add(1);
        var bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        tensor.RawData = ByteString.CopyFrom(bytes);
        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>Adds a vector of one unsigned byte, and returns its name.</summary>
    public string ByteConstant(string name, byte value)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)TensorProto.Types.DataType.Uint8, RawData = ByteString.CopyFrom(value) };
        tensor.Dims.Add(1);
        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>Adds a matrix of zeros within the model itself, and returns its name.</summary>
    public string Zeros(string name, TensorProto.Types.DataType type, int elementBytes, params ReadOnlySpan<long> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type };
        long bytes = elementBytes;
        foreach (var dimension in shape)
        {
            tensor.Dims.Add(dimension);
            bytes = checked(bytes * dimension);
        }

        tensor.RawData = ByteString.CopyFrom(new byte[bytes]);
        _graph.Initializer.Add(tensor);
        return name;
    }

    /// <summary>Adds a node with one output, and returns the output's name.</summary>
    /// <param name="output">The output's name, which is the node's too.</param>
    /// <param name="type">The operator.</param>
    /// <param name="inputs">The inputs in order; an empty name leaves an optional one out.</param>
    public NodeBuilder Node(string output, string type, params ReadOnlySpan<string> inputs)
    {
        var node = new NodeProto { Name = output, OpType = type };
        foreach (var input in inputs) node.Input.Add(input);
        node.Output.Add(output);
        _graph.Node.Add(node);
        return new(node);
    }

    /// <summary>The model as the bytes of an ONNX file without weights.</summary>
    public byte[] ToBytes()
    {
        var model = new ModelProto { IrVersion = IrVersion, ProducerName = "lab", Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OpsetVersion });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = Microsoft, Version = 1 });
        return model.ToByteArray();
    }

    /// <summary>Writes the model and, beside it, its weights.</summary>
    /// <param name="path">The model's file; one that exists is replaced.</param>
    /// <param name="weightsFile">The name of the weights' file in the same directory.</param>
    public unsafe void Save(string path, string weightsFile)
    {
        using (var file = new FileStream(Path.Combine(Path.GetDirectoryName(path)!, weightsFile), FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            foreach (var (weight, tensor) in _weights)
            {
                file.Position = (file.Position + Alignment - 1) / Alignment * Alignment;
                tensor.ExternalData.Clear();
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = weightsFile });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{file.Position}" });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{weight.Bytes}" });
                file.Write(new((void*)weight.Address, checked((int)weight.Bytes)));
            }
        }

        File.WriteAllBytes(path, ToBytes());
    }

    private static ValueInfoProto Value(string name, TensorProto.Types.DataType type, ReadOnlySpan<string> shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = new TensorShapeProto() };
        foreach (var dimension in shape)
        {
            tensor.Shape.Dim.Add(long.TryParse(dimension, out var size)
                ? new TensorShapeProto.Types.Dimension { DimValue = size }
                : new TensorShapeProto.Types.Dimension { DimParam = dimension });
        }

        return new() { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    /// <summary>A node, to be given attributes and further outputs.</summary>
    internal readonly struct NodeBuilder(NodeProto node)
    {
        /// <summary>The first output's name.</summary>
        public string Name => node.Output[0];

        /// <summary>Puts the node into <see cref="Microsoft"/>'s domain.</summary>
        public NodeBuilder Contrib()
        {
            node.Domain = Microsoft;
            return this;
        }

        /// <summary>Sets an attribute of type INT.</summary>
        public NodeBuilder With(string attribute, long value)
        {
            node.Attribute.Add(new AttributeProto { Name = attribute, I = value, Type = AttributeProto.Types.AttributeType.Int });
            return this;
        }

        /// <summary>Sets an attribute of type INTS.</summary>
        public NodeBuilder With(string attribute, ReadOnlySpan<long> values)
        {
            var proto = new AttributeProto { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints };
            foreach (var value in values) proto.Ints.Add(value);
            node.Attribute.Add(proto);
            return this;
        }

        /// <summary>Sets an attribute of type FLOAT.</summary>
        public NodeBuilder With(string attribute, float value)
        {
            node.Attribute.Add(new AttributeProto { Name = attribute, F = value, Type = AttributeProto.Types.AttributeType.Float });
            return this;
        }

        /// <summary>Adds outputs after the first.</summary>
        public NodeBuilder AlsoTo(params ReadOnlySpan<string> outputs)
        {
            foreach (var output in outputs) node.Output.Add(output);
            return this;
        }
    }
}
