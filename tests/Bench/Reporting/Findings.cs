using System.Globalization;
using Lab.Bench.Load;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>What a run has shown, in sentences.</summary>
internal static class Findings
{
    /// <summary>How it ended: one sentence.</summary>
    public static string Verdict(RunResult result)
    {
        var run = result.Recording;
        if (run.Sent == 0) return "Nothing was sent.";
        if (run.Answered == run.Sent && run.NotSent == 0)
            return run.Sent == 1 ? "The request was answered." : $"All {Numbers.Count(run.Sent)} requests were answered, none wrongly.";
        var parts = new List<string>();
        Add(run.Wrong, "answered wrongly");
        Add(run.Lost, "lost");
        Add(run.RefusedCount, "refused");
        Add(run.GivenUp, "given up when the run was interrupted");
        Add(run.NotSent, "not sent");
        return $"Of {Numbers.Of(run.Sent + run.NotSent, "request")} {Numbers.Count(run.Answered)} {(run.Answered == 1 ? "was" : "were")} answered, {string.Join(", ", parts)}. Lost: {Numbers.Count(run.Lost)}; wrong: {Numbers.Count(run.Wrong)}.";

        void Add(long count, string what)
        {
            if (count > 0) parts.Add($"{Numbers.Count(count)} {what}");
        }
    }

    /// <summary>How the queue behaved.</summary>
    public static IReadOnlyList<string> Queue(RunResult result)
    {
        var run = result.Recording;
        var sentences = new List<string>();
        if (run.Answered == 0) return ["Nothing was answered, so nothing is known of the queue."];
        if (run.DeepestQueue == 0)
        {
            sentences.Add(result.Plan is RoundsPlan { Parallel: var parallel } && parallel <= result.WorkersAlive
                ? $"No more than {parallel} requests were under way at once and there were {Numbers.Of(result.WorkersAlive, "worker")}: each found a free worker, and nobody waited."
                : "Every request found a free worker at once: nobody waited a millisecond.");
            return sentences;
        }

        sentences.Add(Text($"The queue was at its deepest after {run.DeepestAtSeconds:0.00} s: {Numbers.Of(run.DeepestQueue, "request")} waited. Somebody waited for {Numbers.Percent(run.QueuedSeconds / Math.Max(run.Seconds, 0.001))} of the run."));
        sentences.Add($"A request waited {Numbers.Ms(run.Queue.P50)} ms in the median, {Numbers.Ms(run.Queue.P99)} ms at the 99th percentile and {Numbers.Ms(run.Queue.Max)} ms at most, and was then computed in {Numbers.Ms(run.Inference.P50)} ms (median).");
        sentences.Add(run.Batched > 0
            ? $"{Numbers.Percent((double)run.Batched / run.Answered)} of the answers travelled with others: when requests wait, one dispatch carries several texts, so that a long queue empties faster than one by one."
            : "Each dispatch carried one text.");
        sentences.Add(run.RefusedCount == 0
            ? "No request was refused: the queue had room for all of them."
            : $"{Numbers.Of(run.RefusedCount, "request")} were refused: {string.Join("; ", run.Refused.Select(reason => $"{reason.Key}, {Numbers.Count(reason.Value)}×"))}.");
        return sentences;
    }

    /// <summary>Whether the orchestrator's own numbers are the same.</summary>
    public static string Agreement(RunResult result)
    {
        if (result.OwnCount is not { } own) return "The orchestrator's /metrics could not be read, so its own count is not known.";
        var answered = result.Recording.Answered + result.Recording.Wrong;
        var waited = own.Dispatched > 0 ? own.QueueSeconds * 1000 / own.Dispatched : 0;
        return Text($"The orchestrator's /metrics counted {Numbers.Count(own.Answered)} answers in the same interval, this run {Numbers.Count(answered)}{(result.CountsAgree is true ? ": they agree" : "")}. ")
            + $"Mean time in the queue: {Numbers.Ms(waited)} ms by its count, {Numbers.Ms(result.Recording.Queue.Mean)} ms by the answers.";
    }

    /// <summary>What the generator itself took.</summary>
    public static string Generator(RunResult result)
    {
        var late = result.Recording.Lateness;
        var machine = result.MachineShare is { } all ? $"; the whole machine was {Numbers.Percent(all)} busy{(result.IsLocal ? ", the cluster being on it too" : "")}" : "";
        return $"The load generator took {Numbers.Percent(result.GeneratorShare)} of its machine's processors{machine}."
            + (result.Plan is ClosedPlan ? "" : $" Requests left {Numbers.Ms(late.P50)} ms (median) and {Numbers.Ms(late.P99)} ms (99th percentile) after their moment, which is part of their latency.");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
