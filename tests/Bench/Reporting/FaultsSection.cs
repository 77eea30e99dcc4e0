using System.Text;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>The report's part on harmed workers.</summary>
internal static class FaultsSection
{
    public static readonly string[] Heads = ["harm", "worker", "from s", "until s", ""];

    public static void Write(StringBuilder html, FaultsResult faults, RunResult result)
    {
        HtmlReport.Section(html, "What happened when workers were killed, frozen and slowed?");
        html.Append("<p>").Append(HtmlReport.Encode(Verdict(faults, result))).Append("</p>");
        HtmlReport.Table(html, Heads, Rows(faults));
    }

    public static IEnumerable<IReadOnlyList<string>> Rows(FaultsResult faults) => faults.Harms.Select(harm => (IReadOnlyList<string>)
        [harm.Kind, harm.Worker, Numbers.Seconds(harm.FromSeconds), Numbers.Seconds(harm.UntilSeconds), harm.Note ?? ""]);

    public static string Verdict(FaultsResult faults, RunResult result)
    {
        var run = result.Recording;
        var lost = run.Lost + run.Wrong == 0
            ? $"Lost: 0, wrong: 0, of {Numbers.Of(run.Sent, "request")}."
            : $"Lost: {Numbers.Count(run.Lost)}, wrong: {Numbers.Count(run.Wrong)}, of {Numbers.Of(run.Sent, "request")}; which ones is listed below.";
        var retried = run.Retried == 0 ? "No answer took a second attempt." : $"{Numbers.Of(run.Retried, "answer")} took more than one attempt, since a worker failed on the way.";
        var refused = run.RefusedCount == 0 ? "None was refused." : $"{Numbers.Count(run.RefusedCount)} were refused: {string.Join("; ", run.Refused.Select(reason => $"{reason.Key}, {Numbers.Count(reason.Value)}×"))}.";
        var back = faults.NotBack.Count == 0 ? "Every harmed worker was at work again at the end." : $"Not at work again at the end: {string.Join(", ", faults.NotBack)}.";
        return $"{Numbers.Of(faults.Harms.Count, "harm")} during the run. {lost} {retried} {refused} {back}";
    }
}
