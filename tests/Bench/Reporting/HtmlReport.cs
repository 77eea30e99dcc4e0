using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>
/// The report for people: one file that needs nothing else, no script and no network, readable in light and dark, on a
/// telephone and on a screen.
/// </summary>
internal static class HtmlReport
{
    private const int ListedIncidents = 20;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a report.</summary>
    public static string Write(Report report)
    {
        var result = report.Run;
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Append("<meta name=\"color-scheme\" content=\"light dark\"><title>Lab: ").Append(Encode(report.Title)).Append("</title><style>")
            .Append(Style()).Append("</style></head><body><main>\n");
        Head(html, report);
        Tiles(html, result);
        Warnings(html, result);
        if (report.Faults is { } faults) FaultsSection.Write(html, faults, result);
        if (report.Soak is { } soak) SoakSection.Write(html, soak);
        if (report.Scale is { } scale)
        {
            ScaleSection.Write(html, scale, result);
            Paragraph(html, [$"All other numbers here are of the last turn, with {Numbers.Of(scale.Points[^1].Workers, "worker")}."]);
        }

        Section(html, "How long requests took");
        TimesTable(html, result.Recording);
        html.Append("<div class=\"pictures\">")
            .Append(Pictures.LatencyOverTime(result.Recording, report.Faults?.Harms.Select(harm => (harm.FromSeconds, harm.UntilSeconds)).ToList()).ToHtml())
            .Append(Pictures.Distribution(result.Recording).ToHtml()).Append("</div>");
        Queue(html, report);
        Workers(html, result);
        Answers(html, result);
        Circumstances(html, report);
        html.Append("</main></body></html>\n");
        return html.ToString();
    }

    /// <summary>Text that may contain anything, for HTML.</summary>
    public static string Encode(string? text) => WebUtility.HtmlEncode(text ?? "");

    /// <summary>Begins a part of the report.</summary>
    public static void Section(StringBuilder html, string title) => html.Append("\n<h2>").Append(Encode(title)).Append("</h2>\n");

    /// <summary>A table: the first column names, the others are numbers.</summary>
    public static void Table(StringBuilder html, IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        html.Append("<div class=\"scroll\"><table><thead><tr>");
        foreach (var head in heads) html.Append("<th scope=\"col\">").Append(Encode(head)).Append("</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            html.Append("<tr><th scope=\"row\">").Append(Encode(row[0])).Append("</th>");
            foreach (var cell in row.Skip(1)) html.Append("<td>").Append(Encode(cell)).Append("</td>");
            html.Append("</tr>");
        }

        html.Append("</tbody></table></div>\n");
    }

    private static string Style()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static void Head(StringBuilder html, Report report)
    {
        var result = report.Run;
        var good = result.Recording.Verdict is ExitCode.AllAnswered && report.Faults is not { NotBack.Count: > 0 } && report.Soak is not { IsFlat: false };
        html.Append("<header><p class=\"eyebrow\">Lab bench</p><h1>").Append(Encode(report.Title)).Append("</h1><p class=\"verdict ").Append(good ? "good" : "bad").Append("\">")
            .Append(good ? "✓ " : "✗ ").Append(Encode(Findings.Verdict(result))).Append("</p><p class=\"where\">")
            .Append(Encode(result.Orchestrator.ToString())).Append(" · ").Append(Encode(result.Texts)).Append(" · ")
            .Append(Encode(Numbers.Of(result.WorkersAlive, "worker"))).Append(result.Model is { } model ? " · model " + Encode(model) : "").Append(" · ")
            .Append(result.Started.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture)).Append("</p></header>\n");
    }

    private static void Tiles(StringBuilder html, RunResult result)
    {
        var run = result.Recording;
        html.Append("<dl class=\"tiles\">");
        Tile("throughput", Numbers.Rate(run.Throughput), "requests/s");
        Tile("median latency", Numbers.Ms(run.Total.P50), "ms");
        Tile("99 % within", Numbers.Ms(run.Total.P99), "ms");
        Tile("answered", Numbers.Count(run.Answered), $"of {Numbers.Count(run.Sent + run.NotSent)}");
        Tile("deepest queue", Numbers.Count(run.DeepestQueue), "waiting");
        Tile("refused", Numbers.Count(run.RefusedCount), $"in {Numbers.Seconds(run.Seconds)} s");
        html.Append("</dl>\n");

        void Tile(string name, string value, string unit) =>
            html.Append("<div><dt>").Append(Encode(name)).Append("</dt><dd>").Append(Encode(value)).Append(" <small>").Append(Encode(unit)).Append("</small></dd></div>");
    }

    private static void Warnings(StringBuilder html, RunResult result)
    {
        foreach (var warning in result.Warnings()) html.Append("<p class=\"warning\">⚠ ").Append(Encode(warning)).Append("</p>");
    }

    private static void TimesTable(StringBuilder html, Measured run) => Table(html,
        ["milliseconds", "p50", "p90", "p95", "p99", "max", "mean"],
        [Numbers.Cells("whole request", run.Total), Numbers.Cells("in the queue", run.Queue), Numbers.Cells("at the worker", run.Inference), Numbers.Cells("rest: network, HTTP", run.Rest)]);

    private static void Queue(StringBuilder html, Report report)
    {
        Section(html, "How does the queue behave when all workers are busy?");
        Paragraph(html, Findings.Queue(report.Run));
        if (report.Run.Recording.DeepestQueue > 0) Figure(html, Pictures.Queue(report.Run.Recording));
        if (report.Burst is { } more)
        {
            Paragraph(html, [$"To show a queue all the same, {Numbers.Of(more.Recording.Sent, "request")} were then sent at the same moment to {Numbers.Of(more.WorkersAlive, "worker")}, apart from the run above. {Findings.Verdict(more)}", .. Findings.Queue(more)]);
            Figure(html, Pictures.Queue(more.Recording, "The queue in the burst"));
            TimesTable(html, more.Recording);
        }

        Paragraph(html, ["Whoever comes first is served first; a free worker takes from the head of the queue, and a request whose worker dies goes back to the head."]);
    }

    private static void Workers(StringBuilder html, RunResult result)
    {
        var run = result.Recording;
        Section(html, "Which worker did how much?");
        Figure(html, Pictures.Workers(run));
        Table(html, ["worker", "answers", "at the worker p50", "p99", "whole request p50", "p99", "texts/dispatch"], run.Workers.Select(worker => (IReadOnlyList<string>)
            [worker.Name, Numbers.Count(worker.Answered), Numbers.Ms(worker.Inference.P50), Numbers.Ms(worker.Inference.P99), Numbers.Ms(worker.Total.P50), Numbers.Ms(worker.Total.P99), worker.MeanBatch.ToString("0.0", CultureInfo.InvariantCulture)]));
        Paragraph(html, [run.Retried == 0
            ? "No request needed a second worker."
            : $"{Numbers.Of(run.Retried, "request")} needed more than one attempt: the first worker failed, and another one did it."]);
    }

    private static void Answers(StringBuilder html, RunResult result)
    {
        if (result.SampleAnswer is { } sample)
        {
            Section(html, "A sample answer");
            html.Append("<pre>").Append(Encode(Pretty(sample))).Append("</pre>");
        }

        if (result.Recording.Incidents.Count == 0) return;
        Section(html, "What was wrong or lost");
        Table(html, ["request", "", "sent at s", "why", "worker", "text"], result.Recording.Incidents.Take(ListedIncidents).Select(incident => (IReadOnlyList<string>)
            [$"#{incident.Number}", incident.What, Numbers.Seconds(incident.SentAtSeconds), incident.Reason, incident.Worker ?? "–", incident.Text]));
        if (result.Recording.Incidents.Count > ListedIncidents) Paragraph(html, [$"The first {ListedIncidents}; result.json has more."]);
    }

    private static void Circumstances(StringBuilder html, Report report)
    {
        var result = report.Run;
        Section(html, "What did it run on, and can the numbers be trusted?");
        html.Append("<ul>");
        Item($"{(result.IsLocal ? "Cluster and load generator shared one machine" : "The load generator's machine")}: {result.Machine}.");
        Item(Findings.Generator(result));
        Item(Findings.Agreement(result));
        if (result.Warmup > 0) Item($"{Numbers.Of(result.Warmup, "request")} went before to warm up, and count nowhere.");
        Item("Every answer was checked: its shape, its text, its probabilities, and that no identity came twice.");
        html.Append("</ul><p>Made by</p><pre>").Append(Encode(report.Command)).Append("</pre>");

        void Item(string text) => html.Append("<li>").Append(Encode(text)).Append("</li>");
    }

    private static void Figure(StringBuilder html, Picture picture) => html.Append("<div class=\"pictures\">").Append(picture.ToHtml()).Append("</div>");

    private static void Paragraph(StringBuilder html, IEnumerable<string> sentences) => html.Append("<p>").Append(Encode(string.Join(' ', sentences))).Append("</p>\n");

    private static string Pretty(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document, Indented);
    }
}
