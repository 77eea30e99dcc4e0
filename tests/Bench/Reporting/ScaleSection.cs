using System.Globalization;
using System.Text;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>The report's part on more and more workers.</summary>
internal static class ScaleSection
{
    public static readonly string[] Heads = ["workers", "requests/s", "least – most", "p50 ms", "p99 ms", "speed-up", "efficiency"];

    public static void Write(StringBuilder html, ScaleResult scale, RunResult last)
    {
        HtmlReport.Section(html, "What do more workers bring?");
        HtmlReport.Table(html, Heads, Rows(scale));
        html.Append("<div class=\"pictures\">").Append(Pictures.Scaling(scale).ToHtml()).Append("</div><p>")
            .Append(HtmlReport.Encode(Explain(scale, last))).Append("</p>");
    }

    public static IEnumerable<IReadOnlyList<string>> Rows(ScaleResult scale) => scale.Points.Select(point => (IReadOnlyList<string>)
        [point.Workers.ToString(CultureInfo.InvariantCulture), Numbers.Rate(point.Throughput), $"{Numbers.Rate(point.Least)} – {Numbers.Rate(point.Most)}",
            Numbers.Ms(point.P50), Numbers.Ms(point.P99), point.SpeedUp.ToString("0.00", CultureInfo.InvariantCulture), Numbers.Percent(point.Efficiency)]);

    public static string Explain(ScaleResult scale, RunResult last)
    {
        var text = $"Each number of workers had {Numbers.Of(scale.Turns, "turn")} of: {scale.Load}. Speed-up is throughput against that of {Numbers.Of(scale.Points[0].Workers, "worker")}; efficiency is speed-up against as many times more workers.";
        return last.IsLocal && scale.Points[^1].Workers > last.Machine.Cores
            ? $"{text} All workers share this machine's {Numbers.Of(last.Machine.Cores, "core")} with the orchestrator and the generator: more workers than cores cannot compute more here."
            : text;
    }
}
