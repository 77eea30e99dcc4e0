using System.Globalization;
using System.Text;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>The report's part on memory.</summary>
internal static class SoakSection
{
    public static readonly string[] Heads = ["working set in MB", "after warm-up", "median", "most", "rise", "rise per hour", ""];

    public static void Write(StringBuilder html, SoakResult soak)
    {
        HtmlReport.Section(html, "Does anybody's memory grow?");
        html.Append("<p>").Append(HtmlReport.Encode(Verdict(soak))).Append("</p><div class=\"pictures\">").Append(Pictures.Memory(soak).ToHtml()).Append("</div>");
        HtmlReport.Table(html, Heads, Rows(soak));
    }

    public static IEnumerable<IReadOnlyList<string>> Rows(SoakResult soak) => soak.Processes.Select(process => (IReadOnlyList<string>)
        [process.Name, Mb(process.First), Mb(process.Median), Mb(process.Most), Mb(process.Rise), Mb(process.RisePerHour),
            process.IsGone ? "gone" : process.IsFlat ? "flat" : "grows"]);

    public static string Verdict(SoakResult soak)
    {
        var grown = soak.Processes.Where(process => !process.IsFlat).Select(process => process.Name).ToList();
        var gone = soak.Processes.Where(process => process.IsGone).Select(process => process.Name).ToList();
        string[] sentences =
        [
            soak.Processes.Count == 0 ? "Nobody told his memory."
                : grown.Count == 0 ? $"The memory of {(soak.Processes.Count == 1 ? soak.Processes[0].Name : $"all {soak.Processes.Count} processes")} was flat after the first third: it rose by no more than 2 % of its median, or 2 MB."
                : $"After the first third the memory of {string.Join(", ", grown)} grew.",
            gone.Count == 0 ? "" : $"Gone before the end: {string.Join(", ", gone)}.",
            soak.NotWatched.Count == 0 ? "" : $"Could not be watched from here: {string.Join(", ", soak.NotWatched)}.",
        ];
        return string.Join(' ', sentences.Where(sentence => sentence.Length > 0));
    }

    private static string Mb(double megabytes) => megabytes.ToString("0.0", CultureInfo.InvariantCulture);
}
