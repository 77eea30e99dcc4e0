using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Api;

/// <summary>The workers behind the standard protocols: a client's inputs are as many queue entries.</summary>
internal sealed class FleetClassifier(Dispatcher dispatcher, TimeProvider time, IOptions<OrchestratorOptions> options) : IClassifier
{
    private static readonly string Version = typeof(FleetClassifier).Assembly.GetName().Version!.ToString(3);

    /// <inheritdoc/>
    public ModelInfo? Model => dispatcher.Model is { } model
        ? model with { MaxConcurrentRequests = options.Value.QueueCapacity, Version = Version }
        : null;

    /// <inheritdoc/>
    public async ValueTask<bool> IsReadyAsync(CancellationToken cancellationToken) =>
        (await dispatcher.CountWorkersAsync(cancellationToken)).Alive > 0;

    /// <inheritdoc/>
    public async Task<Result<Classified>> ClassifyAsync(
        IReadOnlyList<TextInput> inputs, bool rawScores, HttpContext context)
    {
        var wait = Prefer.Parse(context.Request.Headers["Prefer"], options.Value.MaxWait).Wait;
        if (Prefer.Applied(respondAsync: false, wait) is { } applied) context.Response.Headers["Preference-Applied"] = applied;
        var deadline = wait ?? options.Value.Deadline;
        var outcomes = await dispatcher.SubmitAsync(Entries(inputs, rawScores, deadline, context.User.Identity?.Name ?? ""), context.RequestAborted);
        if (Array.Find(outcomes, outcome => outcome.Kind is not (OutcomeKind.Answered or OutcomeKind.Canceled)) is { } failed)
            return Refusals.Of(failed);
        if (Array.Exists(outcomes, outcome => outcome.Kind is OutcomeKind.Canceled))
            return Refusals.Of(new(OutcomeKind.Canceled));

        // Too long a text is only known to be so where it is tokenised: it comes back cut, and cut it is not wanted.
        var answers = outcomes.Select(outcome => outcome.Answer).OfType<RequestAnswer>().ToList();
        for (var i = 0; i < answers.Count; i++)
            if (answers[i].Truncated && inputs[i].Policy is TruncationPolicy.Refuse) return Refusal.TooLong(i, dispatcher.Model?.MaxInputLength ?? 0);
        return new Classified(
            [.. answers.Zip(outcomes, (answer, outcome) => new ClassifiedText(answer.Label, answer.Probabilities, outcome.Logits, answer.Truncated))],
            answers.Max(answer => answer.InferenceMs),
            string.Join(", ", answers.Select(answer => answer.Worker).Distinct()),
            answers.Max(answer => answer.QueueMs),
            answers.Max(answer => answer.Attempts));
    }

    private QueueEntry[] Entries(IReadOnlyList<TextInput> inputs, bool rawScores, TimeSpan deadline, string owner)
    {
        var entries = new QueueEntry[inputs.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            // A query is the first text of many pairs, and waits only once.
            var shared = i > 0 && ReferenceEquals(inputs[i].Text, inputs[i - 1].Text) ? entries[i - 1].Utf8 : default;
            entries[i] = Entry(inputs[i], rawScores, deadline, owner, shared);
        }

        return entries;
    }

    private QueueEntry Entry(TextInput input, bool rawScores, TimeSpan deadline, string owner, ReadOnlyMemory<byte> utf8)
    {
        var cutLeft = input.Policy is TruncationPolicy.Left;
        // What is only a text travels in the cheapest form.
        var how = input.Pair is not null || cutLeft || rawScores ? new TextOptions(input.Pair, cutLeft, rawScores) : null;
        return new(Guid.CreateVersion7(time.GetUtcNow()), input.Text, deadline, how, utf8) { Owner = owner };
    }
}
