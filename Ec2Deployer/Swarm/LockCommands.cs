using System.Globalization;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>
/// The command lines of the lock that keeps two deployers from crossing. The kernel holds it for as long as the
/// deployer's command is connected: one that was killed leaves none behind.
/// </summary>
internal static class LockCommands
{
    /// <summary>First word of what <see cref="Hold"/> writes when it has the lock.</summary>
    public const string Held = "held";

    // In seconds: longer than somebody holds it who only asks.
    private const int Moment = 2;

    /// <summary>Takes the lock and holds it until its standard input ends, or else tells who has it. Its input's first line is the owner.</summary>
    public static HostCommand Hold => new("taking the lock", Shell.Root($$"""
        mkdir -p {{FleetPaths.Root}}
        exec 9>> {{FleetPaths.Lock}}
        flock --timeout {{Moment}} 9 || { cat {{FleetPaths.Lock}}.owner; exit 0; }
        IFS= read -r owner
        printf '%s\n' "$owner" > {{FleetPaths.Lock}}.owner
        echo $$ > {{FleetPaths.Lock}}.pid
        echo {{Held}}
        cat 9>&- > /dev/null || true
        rm -f {{FleetPaths.Lock}}.owner {{FleetPaths.Lock}}.pid
        """)) { Timeout = TimeSpan.FromHours(4), InputInWords = "who takes it, what for, and when" };

    /// <summary>Tells who has the lock, if anybody has.</summary>
    public static HostCommand Ask => new("asking who deploys", Shell.Root($"""
        [ ! -e {FleetPaths.Lock} ] || flock --shared --nonblock {FleetPaths.Lock} true || cat {FleetPaths.Lock}.owner
        """)) { IsRepeatable = true };

    /// <summary>Ends the command that holds the lock, and tells who held it.</summary>
    public static HostCommand Break => new("breaking the lock", Shell.Root($"""
        if [ -e {FleetPaths.Lock} ] && ! flock --timeout {Moment} {FleetPaths.Lock} true; then
            cat {FleetPaths.Lock}.owner
            kill "$(cat {FleetPaths.Lock}.pid)"
            rm -f {FleetPaths.Lock}.owner {FleetPaths.Lock}.pid
        fi
        """));

    /// <summary>An owner as one line.</summary>
    public static string Write(FleetLock owner) => new JsonObject
    {
        ["owner"] = owner.Owner,
        ["what"] = owner.What,
        ["since"] = owner.Since.ToString("O", CultureInfo.InvariantCulture),
    }.ToJsonString();

    /// <summary>Reads such a line; null where there is none.</summary>
    public static FleetLock? Read(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return null;
        try
        {
            var node = JsonNode.Parse(line)!;
            return new((string)node["owner"]!, (string)node["what"]!, DateTimeOffset.Parse((string)node["since"]!, CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NullReferenceException or FormatException or ArgumentNullException)
        {
            // Somebody has the lock, whatever stands in the file.
            return new("somebody", "deploying", DateTimeOffset.UnixEpoch);
        }
    }
}
