using System.Globalization;
using System.Text.RegularExpressions;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Locales with another calendar, other signs between digits, other rules for upper case, or a translation of the command line's own messages.</summary>
public sealed partial class CultureTests : CommandTest
{
    private static readonly string[] Walk =
    [
        "--help", "publish --help", "status --nosuch", "plan --hosts many", "plan --offline --ttl 90m", "publish --hosts 1 --ttl 4h", "status", "plan --verbose",
        "logs --tail 7", "rollback --list", "scale --hosts 2", "unlock --yes", "status --json", "status --name INSTANCE", "destroy --yes",
    ];

    [Theory]
    [InlineData("th-TH")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    [InlineData("tr-TR")]
    [InlineData("de-DE")]
    public async Task EveryVerb_AnyCulture_SaysTheSame(string culture)
    {
        var expected = await WalkAsync(CultureInfo.InvariantCulture);

        var told = await WalkAsync(CultureInfo.GetCultureInfo(culture));

        Assert.Equal(WithoutValues(expected), WithoutValues(told));
        Assert.Contains("holds the lock since 2026-01-01 20:04 UTC", told, StringComparison.Ordinal);
        Assert.Contains(PriceTable.Bundled.AsOf.ToString("O", CultureInfo.InvariantCulture), told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("th-TH")]
    [InlineData("fa-IR")]
    public async Task Audit_AnyCulture_HasTheYearOfOurEra(string culture)
    {
        await using var session = await Ec2Session.StartAsync();
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);

        // Not only by way of the command line: AppHost and tests write it too.
        session.DirectoryOf().Audit(new DateTimeOffset(2026, 11, 24, 1, 2, 3, TimeSpan.FromHours(-5)), "CreateTags", "i-1");

        Assert.StartsWith("2026-11-24T06:02:03Z ", await File.ReadAllTextAsync(session.DirectoryOf().AuditFile, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private async Task<string> WalkAsync(CultureInfo culture)
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Lock = new("ana@laptop", "publish", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(7)));
        (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, culture);
        var all = new List<string>();
        foreach (var line in Walk)
        {
            var (code, output, error) = await RunAsync(session, line);
            all.Add($"$ {line} → {(int)code}\n{output}{error}");
        }

        var audit = await File.ReadAllLinesAsync(session.DirectoryOf().AuditFile, TestContext.Current.CancellationToken);
        Assert.All(audit, entry => Assert.StartsWith(DateTime.UtcNow.ToString("yyyy-", CultureInfo.InvariantCulture), entry, StringComparison.Ordinal));
        return string.Join('\n', all.Concat(audit.Select(entry => entry[20..])));
    }

    // Fingerprints, what took its time and how much of it; between the digits, everything stays.
    private static string WithoutValues(string text) => Space().Replace(Number().Replace(Passing().Replace(text, ""), "9"), " ");

    [GeneratedRegex("""SHA256:\S+|ssh-ed25519 \S+|\([0-9]+ s\)|"cost_usd": [0-9.]+|(?<= )(?:[0-9]+[smhd])+(?= )|–""")]
    private static partial Regex Passing();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex(" +")]
    private static partial Regex Space();
}
