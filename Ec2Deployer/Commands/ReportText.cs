using System.Globalization;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What came of a publish or a rollback, for people or for machines.</summary>
internal static class ReportText
{
    /// <summary>Writes it.</summary>
    public static void Write(CommandContext context, FleetReport report)
    {
        context.Progress.Dispose();
        if (context.Screen.IsJson)
        {
            context.Screen.Json(report);
            return;
        }

        var screen = context.Screen;
        screen.Line(report.Changed ? $"Version {report.Version} serves{(report.PreviousVersion is { } old ? $" (before: {old})" : "")}." : $"Nothing to change: version {report.Version} serves.");
        screen.Table(["container", "host", "port", "health"], report.Containers.Select(Row));
        screen.Line($"  {report.ImagesSent} images sent, {(report.BytesSent / 1e6).ToString("F1", CultureInfo.InvariantCulture)} MB");
        screen.Line();
        screen.Line($"  address      {report.Address}");
        if (report.ApiKeyFile is { } key) screen.Line($"  API key      {key}");
        if (report.CertificateFingerprint is { } print) screen.Line($"  certificate  SHA-256 {print}");
        if (context.Options.PlainHttp) screen.Line($"  plain HTTP   http://{report.Address.Host}, texts only, without a key");
        screen.Line();
        screen.Line("Next:");
        screen.Line($"  {Curl(report)}");
        foreach (var next in (string[])["status --watch", "logs --worker worker-1 -f", "destroy"]) screen.Line($"  dotnet run --project Ec2Deployer -- {next}{Named(context)}");
    }

    /// <summary>
    /// A request by curl that believes the pinned certificate alone, under the name that it is for, and reads the key from
    /// its file.
    /// </summary>
    public static string Curl(FleetReport report)
    {
        var words = new List<string> { "curl" };
        if (report.CertificateFile is { } certificate) words.AddRange(["--cacert", certificate]);
        var address = new UriBuilder(new Uri(report.Address, "new_request"));
        if (report.ServerName is { } name)
        {
            words.AddRange(["--connect-to", $"::{report.Address.Host}:{(report.Address.IsDefaultPort ? "" : report.Address.Port.ToString(CultureInfo.InvariantCulture))}"]);
            address.Host = name;
        }

        words.Add(address.Uri.AbsoluteUri);
        if (report.AuthorizationFile is { } authorization) words.AddRange(["-H", $"@{authorization}"]);
        words.AddRange(["-H", "Content-Type: text/plain", "--data", "what a lovely day"]);
        return string.Join(' ', words.Select(word => word.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:@".Contains(letter, StringComparison.Ordinal)) ? word : Shell.Quote(word)));
    }

    /// <summary>The option that a later command line needs, or nothing.</summary>
    public static string Named(CommandContext context) => context.Options.Name == "lab" ? "" : $" --name {context.Options.Name}";

    private static IReadOnlyList<string> Row(ContainerStatus container) =>
        [container.Name, container.Host, container.Port.ToString(CultureInfo.InvariantCulture), container.Health];
}
