using System.Globalization;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Jobs;

/// <summary>
/// A row of a store as it is found: the one place where rows become objects. Whatever stands in a column, reading it
/// never throws; what makes the row unreadable is told as its <see cref="Fault"/>, without anything of its content.
/// </summary>
internal sealed class JobRow
{
    /// <summary>What is read of every row, in this order.</summary>
    public const string Columns =
        "seq, id, owner, text, is_drawn, trace_parent, trace_state, status, result, error, submitted_at, finished_at, idempotency_key, text_pair";

    /// <summary>The first column that holds a time, and the last.</summary>
    public const int FirstTime = 10, LastTime = 11;

    /// <summary>The status of a row that is set aside: no query takes it for a job to run, and its retention ends it.</summary>
    public const string SetAside = "damaged";

    /// <summary>What a store gives for a value that it cannot read at all.</summary>
    public static readonly object Unreadable = new();

    private static readonly Refusal Error = new(StatusCodes.Status500InternalServerError, "Job damaged",
        "What was stored of this job can no longer be read. Submit it again, under another Idempotency-Key if it had one.");

    private readonly string? _status;
    private readonly string? _text;
    private readonly string? _pair;
    private readonly bool _hasPair;
    private readonly bool? _isGenerated;
    private readonly RequestAnswer? _result;
    private readonly Refusal? _error;
    private readonly DateTimeOffset? _submittedAt;
    private readonly DateTimeOffset? _finishedAt;
    private readonly string? _traceParent;
    private readonly string? _traceState;
    private readonly DateTimeOffset _readAt;

    /// <summary>Reads a row.</summary>
    /// <param name="column">The value in a column of <see cref="Columns"/>: <c>null</c>, a number, text, bytes, a UUID, a time or <see cref="Unreadable"/>.</param>
    /// <param name="now">When it is read.</param>
    public JobRow(Func<int, object?> column, DateTimeOffset now)
    {
        _readAt = now;
        Seq = column(0) as long? ?? 0;
        Id = IdOf(column(1));
        Owner = column(2) as string;
        _text = TextOf(column(3));
        _isGenerated = column(4) switch { bool value => value, long number => number != 0, _ => null };
        // A job can do without its trace.
        _traceParent = column(5) as string;
        _traceState = column(6) as string;
        _status = column(7) as string;
        _submittedAt = TimeOf(column(FirstTime));
        _finishedAt = TimeOf(column(LastTime));
        Key = column(12) as string;
        var pair = column(13);
        (_hasPair, _pair) = (pair is not null, TextOf(pair));
        if (IsSetAside)
        {
            if (_finishedAt is null) Fault = "finished_at is no time";
            return;
        }

        // What a job of another status has there is overwritten by its end, or never read.
        if (Status is JobStatus.Succeeded) _result = AnswerOf(column(8));
        if (Status is JobStatus.Failed) _error = ErrorOf(column(9));
        Fault = FirstFault(hasEnd: column(LastTime) is not null);
    }

    /// <summary>The row's number.</summary>
    public long Seq { get; }

    /// <summary>The job's identity, or <c>null</c> where it is none.</summary>
    public Guid? Id { get; }

    /// <summary>Whose job it is, or <c>null</c> where that cannot be read.</summary>
    public string? Owner { get; }

    /// <summary>Its idempotency key, where it has one.</summary>
    public string? Key { get; }

    /// <summary>The first thing wrong with the row, or <c>null</c>.</summary>
    public string? Fault { get; }

    /// <summary>Whether the row was set aside before.</summary>
    public bool IsSetAside => _status == SetAside;

    /// <summary>The job as its owner sees it: one that has failed, where the row cannot be read.</summary>
    public Job Job => IsSetAside || Fault is not null
        ? new(Id ?? Guid.Empty, JobStatus.Failed, null, Error, _submittedAt ?? MadeAt ?? _finishedAt ?? _readAt, _finishedAt ?? _readAt)
        : new(Id!.Value, Status!.Value, _result is null ? null : _result with { InputText = _text! }, _error, _submittedAt!.Value, _finishedAt);

    /// <summary>What is needed to run the job, or <c>null</c> where the row cannot be read or its job has ended.</summary>
    public LeasedJob? Leased => Fault is not null || Status is not (JobStatus.Queued or JobStatus.Running) ? null : new(Id!.Value, _text!, _submittedAt!.Value, _traceParent, _traceState, _pair);

    private JobStatus? Status => _status is null ? null : JobStatusNames.Parse(_status);

    // A UUID of version 7 tells when it was made.
    private DateTimeOffset? MadeAt => Id is { Version: 7 } id
        ? TimeOf(long.Parse(id.ToString("N").AsSpan(0, 12), NumberStyles.HexNumber, CultureInfo.InvariantCulture)) : null;

    /// <summary>
    /// What a repeated submission comes to. Whether the request was the same can no longer be told of a row that cannot
    /// be read: its key stands for it all the same.
    /// </summary>
    public Submission Repeat(NewJob job) => IsSetAside || Fault is not null || job.IsSameRequestAs(_text!, _isGenerated!.Value, _pair)
        ? new(SubmissionKind.Repeated, Job)
        : Submission.KeyReused;

    private string? FirstFault(bool hasEnd)
    {
        if (Seq == 0) return "seq is no number";
        if (Id is null) return "id is no UUID in its usual form";
        if (Owner is null) return "owner is no text";
        if (_text is null) return "text is not UTF-8";
        if (_hasPair && _pair is null) return "text_pair is not UTF-8";
        if (_isGenerated is null) return "is_drawn is neither true nor false";
        if (Status is not { } status) return "status is none that is known";
        if (_submittedAt is null) return "submitted_at is no time";
        if (hasEnd && _finishedAt is null) return "finished_at is no time";
        var isOpen = status is JobStatus.Queued or JobStatus.Running;
        if (isOpen == hasEnd) return isOpen ? "finished_at is set though it has not finished" : "finished_at is missing though it has finished";
        if (status is JobStatus.Succeeded && _result is null) return "result is no answer";
        return status is JobStatus.Failed && _error is null ? "error is no reason" : null;
    }

    // Only the form in which identities are written: a row under any other could be leased, but never finished.
    private static Guid? IdOf(object? value) => value switch
    {
        Guid id => id,
        string text when Guid.TryParseExact(text, "D", out var id) && id.ToString() == text => id,
        _ => null,
    };

    private static string? TextOf(object? value) => value is byte[] bytes ? StrictText.Of(bytes) : null;

    private static DateTimeOffset? TimeOf(object? value) => value switch
    {
        DateTimeOffset time when time >= DateTimeOffset.UnixEpoch => time,
        long milliseconds and >= 0 when milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        _ => null,
    };

    private static RequestAnswer? AnswerOf(object? value) =>
        Json(value, json => JsonSerializer.Deserialize(json, WireJson.Relaxed.RequestAnswer)) is
        {
            RequestId: not null, Worker: not null, Label: not null, Probabilities: not null,
        } answer
        && answer.Labels?.Contains(null!) != true
        // An infinite number can be read as JSON, but not be written.
        && answer.Probabilities.All(float.IsFinite) && double.IsFinite(answer.QueueMs) && double.IsFinite(answer.InferenceMs) ? answer : null;

    private static Refusal? ErrorOf(object? value) =>
        Json(value, json => JsonSerializer.Deserialize(json, JobsJson.Relaxed.Refusal)) is
        {
            Status: >= 400 and <= 599, Title: not null, Detail: not null,
        } error ? error : null;

    private static T? Json<T>(object? value, Func<string, T?> read)
        where T : class
    {
        if (value is not string json) return null;
        try
        {
            return read(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }
}
