using System.Globalization;
using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Options;

namespace Lab.Worker.Api;

/// <summary>The worker's model behind the standard protocols.</summary>
internal sealed class WorkerClassifier(
    ModelHost host, InferenceGate gate, IOptions<WorkerOptions> options, WorkerTelemetry telemetry) : IClassifier
{
    private ModelInfo? _model;

    /// <inheritdoc/>
    public ModelInfo? Model => host.Ready is { } model ? _model ??= Describe(model.Description) : null;

    /// <inheritdoc/>
    public ValueTask<bool> IsReadyAsync(CancellationToken cancellationToken) => new(host.Ready is not null);

    /// <inheritdoc/>
    public async Task<Result<Classified>> ClassifyAsync(
        IReadOnlyList<TextInput> inputs, bool rawScores, HttpContext context)
    {
        if (host.Ready is not { } model) return NotReady.Refusal;
        if (gate.TryRun(() => model.Compute(inputs), context.RequestAborted, BusyTime.TokensOf(inputs, model.Description.MaxTokens)) is not { } running)
            return gate.IsClosed ? RunModelEndpoint.Leaving : RunModelEndpoint.Computing;
        var computation = await running;
        if (computation.TooLong is { } input) return Refusal.TooLong(input, model.Description.MaxTokens);
        return new Classified(
            [.. computation.Results.Select(result => new ClassifiedText(
                model.Description.LabelOf(result), result.Probabilities, rawScores ? result.Logits : null, result.Truncated))],
            computation.Elapsed.TotalMilliseconds);
    }

    /// <inheritdoc/>
    public void Refused(int status) => telemetry.Refused(status);

    private ModelInfo Describe(ModelDescription model) => new(
        model.Name,
        model.Sha256,
        model.Precision is Precision.Int8 ? "int8" : "float32",
        new(new(
            model.Labels.Index().ToDictionary(label => label.Index.ToString(CultureInfo.InvariantCulture), label => label.Item),
            model.Labels.Index().ToDictionary(label => label.Item, label => label.Index))),
        MaxConcurrentRequests: 1 + options.Value.QueueLimit,
        model.MaxTokens,
        model.MaxTokens * TextInput.MaxInputs,
        TextInput.MaxInputs,
        AutoTruncate: false,
        TokenizationWorkers: 1,
        typeof(WorkerClassifier).Assembly.GetName().Version!.ToString(3),
        model.Problem);
}
