namespace Lab.Bench.Reporting;

/// <summary>Writes the report's two files.</summary>
internal static class ReportFiles
{
    /// <summary>Writes them and says where they are.</summary>
    /// <param name="report">The report.</param>
    /// <param name="directory">An existing directory, or <c>null</c> for none.</param>
    /// <param name="screen">Where to say it.</param>
    public static void Write(Report report, string? directory, Screen screen)
    {
        if (directory is null) return;
        var html = Path.Combine(directory, "report.html");
        File.WriteAllText(Path.Combine(directory, "result.json"), ResultJson.Write(report));
        File.WriteAllText(html, HtmlReport.Write(report));
        screen.Line();
        screen.Line($"Report: {new Uri(html)}");
    }
}
