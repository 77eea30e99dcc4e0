using System.Globalization;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What came of a publish or a rollback, for people or for machines.</summary>
internal static class ReportText
{
    private const int ForwardedPort = 8443;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Writes it, on a terminal with a picture of all that there is then.</summary>
    /// <param name="context">The command.</param>
    /// <param name="report">What came of it.</param>
    /// <param name="cancellationToken">Ends the look at the hosts; what came of the command is written all the same.</param>
    public static async Task WriteAsync(CommandContext context, FleetReport report, CancellationToken cancellationToken) =>
        Write(context, report, context.Screen is { IsTerminal: true, IsJson: false } ? await PictureAsync(context, cancellationToken) : null);

    private static async Task<StatusPicture?> PictureAsync(CommandContext context, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            using var step = context.Progress.Begin("looking at what there is now");
            var found = await context.FindAnyAsync(limit.Token);
            var picture = StatusPicture.Of(context, found, await StatusCommand.AskAsync(context, found, limit.Token));
            step.Done();
            return picture;
        }
        catch (Exception e) when (e is OperationCanceledException or DeploymentException)
        {
            // All is done; 'status' shows it too.
            return null;
        }
    }

    private static void Write(CommandContext context, FleetReport report, StatusPicture? picture)
    {
        context.Progress.Dispose();
        if (context.Screen.IsJson)
        {
            context.Screen.Json(report);
            return;
        }

        var screen = context.Screen;
        screen.Line(report.Changed ? $"Version {report.Version} serves{(report.PreviousVersion is { } old ? $" (before: {old})" : "")}." : $"Nothing to change: version {report.Version} serves.");
        if (picture is null)
        {
            screen.Table(["container", "host", "port", "health"], report.Containers.Select(Row));
        }
        else
        {
            screen.Line();
            picture.Write(screen);
        }

        screen.Line($"  {report.ImagesSent} images sent, {(report.BytesSent / 1e6).ToString("F1", CultureInfo.InvariantCulture)} MB");
        screen.Line();
        screen.Line($"  address      {report.Address}");
        if (report.ApiKeyFile is { } key) screen.Line($"  API key      {key}");
        if (report.CertificateFingerprint is { } print) screen.Line($"  certificate  SHA-256 {print}");
        if (context.Options.PlainHttp) screen.Line($"  plain HTTP   http://{report.Address.Host}, texts only, without a key");
        screen.Line();
        screen.Line("Next:");
        if (context.Options.Bastion is { } bastion) screen.Line($"  {Forward(report, bastion)}");
        screen.Line($"  {Curl(report, isForwarded: context.Options.Bastion is not null)}");
        foreach (var next in (string[])["status --watch", "logs --worker worker-1 -f", "destroy"]) screen.Line($"  dotnet run --project Ec2Deployer -- {next}{Named(context)}");
    }

    /// <summary>OpenSSH's client, which leads a port of this machine through the bastion to the orchestrator until it is ended.</summary>
    public static string Forward(FleetReport report, Bastion bastion) =>
        string.Create(CultureInfo.InvariantCulture, $"ssh -N -L {ForwardedPort}:{report.Address.Host}:{report.Address.Port} {string.Join(' ', bastion.Target)} &");

    /// <summary>
    /// A request by curl that believes the pinned certificate alone, under the name that it is for, and reads the key from
    /// its file.
    /// </summary>
    /// <param name="report">What came of a publish.</param>
    /// <param name="isForwarded">Whether the request goes to the port of this machine that <see cref="Forward"/> opens.</param>
    public static string Curl(FleetReport report, bool isForwarded = false)
    {
        var words = new List<string> { "curl" };
        if (report.CertificateFile is { } certificate) words.AddRange(["--cacert", certificate]);
        var address = new UriBuilder(new Uri(report.Address, "new_request"));
        if (report.ServerName is { } name) address.Host = name;
        if (isForwarded) words.AddRange(["--connect-to", $"::127.0.0.1:{ForwardedPort}"]);
        else if (report.ServerName is not null) words.AddRange(["--connect-to", $"::{report.Address.Host}:{(report.Address.IsDefaultPort ? "" : report.Address.Port.ToString(CultureInfo.InvariantCulture))}"]);

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
