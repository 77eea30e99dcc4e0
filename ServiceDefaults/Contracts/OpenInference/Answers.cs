namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>An error of the protocol.</summary>
/// <param name="Error">What was wrong.</param>
public sealed record InferError(string Error);

/// <summary>The answer of <c>GET /v2</c>.</summary>
/// <param name="Name">The server's name.</param>
/// <param name="Version">The server's version.</param>
/// <param name="Extensions">Extensions of the protocol: none.</param>
public sealed record ServerMetadata(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>The answer of <c>GET /v2/health/live</c> and <c>GET /v2/health/ready</c>.</summary>
/// <param name="Live">The same in both; the specification's word also for readiness.</param>
/// <param name="Ready">The word that clients expect of readiness.</param>
public sealed record ServerHealth(bool Live, bool? Ready = null);

/// <summary>The answer of <c>GET /v2/models/{model}/ready</c>.</summary>
/// <param name="Name">The model.</param>
/// <param name="Ready">Whether it would answer now.</param>
public sealed record ModelReady(string Name, bool Ready);

/// <summary>The answer of <c>GET /v2/models/{model}</c>.</summary>
/// <param name="Name">The model.</param>
/// <param name="Versions">The versions that may be asked for.</param>
/// <param name="Platform">What it is computed with.</param>
/// <param name="Inputs">The tensors that it takes.</param>
/// <param name="Outputs">The tensors that it gives.</param>
public sealed record ModelMetadata(
    string Name,
    IReadOnlyList<string> Versions,
    string Platform,
    IReadOnlyList<TensorMetadata> Inputs,
    IReadOnlyList<TensorMetadata> Outputs);

/// <summary>What a tensor looks like.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">Its elements' type.</param>
/// <param name="Shape">Its dimensions; −1 for one that varies.</param>
public sealed record TensorMetadata(string Name, string Datatype, IReadOnlyList<int> Shape);

/// <summary>The answer of <c>POST /v2/models/{model}/infer</c>.</summary>
/// <param name="ModelName">The model.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Id">The request's <c>id</c>, if it had one.</param>
/// <param name="Parameters">Who computed it and how long it took.</param>
/// <param name="Outputs">The tensors asked for.</param>
public sealed record InferAnswer(
    string ModelName,
    string ModelVersion,
    string? Id,
    InferParameters Parameters,
    IReadOnlyList<InferOutput> Outputs);

/// <summary>What <see cref="Classified"/> says beside the results; from a worker itself only the last two.</summary>
/// <param name="Worker">Who computed.</param>
/// <param name="QueueMs">Time before the dispatch, in milliseconds.</param>
/// <param name="Attempts">Dispatches it took.</param>
/// <param name="InferenceMs">Time of tokenisation and inference, in milliseconds.</param>
/// <param name="Truncated">Whether any text was longer than the model reads, so that its end was cut off.</param>
public sealed record InferParameters(string? Worker, double? QueueMs, int? Attempts, double InferenceMs, bool Truncated);

/// <summary>An output tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype"><c>FP32</c> or <c>BYTES</c>.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Data">Its elements, flat and row by row: numbers or strings.</param>
public sealed record InferOutput(string Name, string Datatype, IReadOnlyList<int> Shape, object Data);
