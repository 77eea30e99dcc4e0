using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines for Aspire's dashboard, for a manager of the Swarm.</summary>
internal static class DashboardCommands
{
    /// <summary>What <see cref="Remove"/> writes where there was one.</summary>
    public const string Removed = "removed";

    /// <summary>Makes the dashboard what its stack file says, and leaves the stack's other services alone.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="stack">Its stack file.</param>
    public static HostCommand Deploy(string deployment, JsonObject stack) => new RolloutCommands(deployment).Deploy(stack) with { Title = "deploying the dashboard" };

    /// <summary>Removes the dashboard, where there is one.</summary>
    /// <param name="deployment">The deployment's name.</param>
    public static HostCommand Remove(string deployment) => new("removing the dashboard", Shell.Root($"""
        docker service inspect {deployment}_{FleetShape.Dashboard} >/dev/null 2>&1 || exit 0
        docker service rm {deployment}_{FleetShape.Dashboard} >/dev/null
        echo {Removed}
        """)) { IsRepeatable = true };

    /// <summary>
    /// Lines of a script that put what the dashboard answers in the place of a health of which the engine knows nothing: there
    /// is no program in its image that could ask.
    /// </summary>
    /// <param name="deployment">The deployment's name.</param>
    public static string TellHealth(string deployment) => $$"""
        dashboard_health() {
            perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:{{FleetShape.DashboardPort}}", Timeout => 3) or exit 1; alarm 5; print $s "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"; exit(<$s> =~ m#^HTTP/1\.1 200 # ? 0 : 1)'
        }
        case "$containers" in
            *"{{deployment}}_{{FleetShape.Dashboard}} "*)
                health=starting
                if dashboard_health 2>/dev/null; then health=healthy; fi
                containers=$(printf '%s\n' "$containers" | sed "s/^\({{deployment}}_{{FleetShape.Dashboard}} [^ ]*\) unknown /\1 $health /") ;;
        esac
        """;
}
