namespace Lab.ServiceDefaults.Contracts;

/// <summary>What a worker says about one text or pair of texts (<c>POST /run_model</c>).</summary>
/// <param name="InputText">The text as it was read, before tokenisation; of a pair the first.</param>
/// <param name="Label">The class with the highest score, by its name in the model's <c>id2label</c>.</param>
/// <param name="Probabilities">
/// One score per class, in the order of <c>id2label</c>, by the model's <see cref="ProblemType"/>: values in [0, 1] that
/// sum to 1, values in [0, 1] each by itself, or any finite numbers.
/// </param>
/// <param name="InferenceMs">Time of tokenisation and inference, in milliseconds.</param>
/// <param name="Truncated">Whether the text had more tokens than the model has positions, so that only its beginning was read.</param>
/// <param name="Labels">Of a multi-label model alone: what <see cref="MultiLabel.LabelsOf"/> gives.</param>
public sealed record ModelAnswer(
    string InputText,
    string Label,
    IReadOnlyList<float> Probabilities,
    double InferenceMs,
    bool Truncated,
    IReadOnlyList<string>? Labels = null);

/// <summary>What the orchestrator answers to a request (<c>POST /new_request</c>).</summary>
/// <param name="RequestId">The request's identity, a UUID of version 7 (RFC 9562).</param>
/// <param name="Worker">The name of the worker that computed the answer.</param>
/// <param name="Attempts">How many dispatches it took, 1 to 3.</param>
/// <param name="BatchSize">How many texts travelled in the same dispatch.</param>
/// <param name="QueueMs">Time between acceptance and the last dispatch, in milliseconds.</param>
/// <param name="InferenceMs">The worker's own time for the dispatch, in milliseconds.</param>
/// <param name="InputText">The text that was classified; of a pair the first.</param>
/// <param name="Truncated">Whether the text was longer than the model can read.</param>
/// <param name="Label">The class with the highest score.</param>
/// <param name="Probabilities">One score per class, in the order of the model's <c>id2label</c>: probabilities, or the numbers of a regression.</param>
/// <param name="Labels">Of a multi-label model alone: the classes of probability 0.5 and more, the most probable first; maybe none.</param>
public sealed record RequestAnswer(
    string RequestId,
    string Worker,
    int Attempts,
    int BatchSize,
    double QueueMs,
    double InferenceMs,
    string InputText,
    bool Truncated,
    string Label,
    IReadOnlyList<float> Probabilities,
    IReadOnlyList<string>? Labels = null);

/// <summary>One line of the worker table (<c>GET /workers</c>, keyed by the worker's name).</summary>
/// <param name="Ip">The host part of the worker's address.</param>
/// <param name="Port">The port of the worker's address.</param>
/// <param name="Status">One of <c>free</c>, <c>busy</c>, <c>quarantined</c>, <c>draining</c>.</param>
/// <param name="Completed">Texts that this worker answered.</param>
/// <param name="Failed">Dispatches that failed at this worker.</param>
/// <param name="Host">The machine the worker runs on, where it is known.</param>
/// <param name="Reason">Why it gets no more work, where the worker itself has said so: it will be gone.</param>
public sealed record WorkerStatus(
    string Ip,
    int Port,
    string Status,
    long Completed,
    long Failed,
    string? Host = null,
    string? Reason = null);

/// <summary>Several texts for one dispatch (<c>POST /run_batch</c>).</summary>
/// <param name="Texts">1 to 32 texts, none of them empty.</param>
/// <param name="Options">Where any text is more than that: one element per text, <c>null</c> for a text that is only a text.</param>
/// <param name="Tokens">One per text, which its result repeats, so that no result can be taken for another text's.</param>
public sealed record BatchRequest(IReadOnlyList<string> Texts, IReadOnlyList<TextOptions?>? Options = null, IReadOnlyList<string>? Tokens = null);

/// <summary>How one text of a batch is to be read and answered.</summary>
/// <param name="Pair">The second of a pair of texts.</param>
/// <param name="CutLeft">Whether it is the beginning of too long a text that is cut off.</param>
/// <param name="RawScores">Whether logits are to be told too.</param>
public sealed record TextOptions(string? Pair = null, bool CutLeft = false, bool RawScores = false);

/// <summary>What a worker says of the texts of one dispatch.</summary>
/// <param name="InferenceMs">Time of tokenisation and inference for all of them, in milliseconds.</param>
/// <param name="Results">One entry per text, in the order of the request.</param>
public sealed record BatchAnswer(double InferenceMs, IReadOnlyList<BatchResult> Results);

/// <summary>What a worker says of one text of a batch: the members of an answer, or only <paramref name="Error"/>.</summary>
/// <param name="Label">The class with the highest score.</param>
/// <param name="Probabilities">One score per class, as in <see cref="ModelAnswer"/>.</param>
/// <param name="Truncated">Whether the text was longer than the model can read.</param>
/// <param name="Error">Why this text was not classified.</param>
/// <param name="Logits">One logit per class, where they were asked for.</param>
/// <param name="Token">The text's token, where the request brought one.</param>
/// <param name="Labels">Of a multi-label model alone: what <see cref="MultiLabel.LabelsOf"/> gives.</param>
public sealed record BatchResult(
    string? Label = null,
    IReadOnlyList<float>? Probabilities = null,
    bool? Truncated = null,
    string? Error = null,
    IReadOnlyList<float>? Logits = null,
    string? Token = null,
    IReadOnlyList<string>? Labels = null);
