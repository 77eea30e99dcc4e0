using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that make and mend a Swarm.</summary>
internal static class SwarmCommands
{
    private const int Port = 2377;

    // The command-line client takes the token as an argument, which every user of the host can read; the engine itself takes it here.
    private const string JoinScript = """
        perl -MIO::Socket::UNIX -e 'local $/; my $body = <STDIN>; my $engine = IO::Socket::UNIX->new("/run/docker.sock") or die "docker.sock: $!\n"; print $engine "POST /v1.40/swarm/join HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n" . $body; my $answer = <$engine>; $answer =~ m{^HTTP/1\.\d 200} or die((split /\r\n\r\n/, $answer, 2)[1] . "\n")'
        """;

    /// <summary>Begins a Swarm with this host as its first manager.</summary>
    public static HostCommand Init(DeployedHost host) => new("forming the Swarm", $"sudo -n docker swarm init --advertise-addr {host.PrivateAddress}");

    /// <summary>Asks a manager for the token by which a host joins.</summary>
    public static HostCommand JoinToken(bool manager) =>
        new("asking for the Swarm's token", $"sudo -n docker swarm join-token --quiet {(manager ? "manager" : "worker")}") { IsRepeatable = true };

    /// <summary>Joins the Swarm of a manager.</summary>
    public static HostCommand Join(DeployedHost host, DeployedHost through, string token) => new("joining the Swarm", $"sudo -n {JoinScript}")
    {
        Input = new JsonObject
        {
            ["ListenAddr"] = $"0.0.0.0:{Port}",
            ["AdvertiseAddr"] = host.PrivateAddress,
            ["RemoteAddrs"] = new JsonArray($"{through.PrivateAddress}:{Port}"),
            ["JoinToken"] = token,
        }.ToJsonString(),
        InputInWords = $"the Swarm's token and the addresses {host.PrivateAddress} and {through.PrivateAddress}:{Port}",
    };

    /// <summary>Leaves whatever Swarm the host believes to be in.</summary>
    public static HostCommand Leave => new("leaving the Swarm", "sudo -n docker swarm leave --force") { Timeout = TimeSpan.FromMinutes(1) };

    /// <summary>The same for a host that may be in none.</summary>
    public static HostCommand LeaveIfMember => Leave with { Line = Shell.Root("docker swarm leave --force || true") };

    /// <summary>Asks a host what it is in the Swarm.</summary>
    public static HostCommand Membership => new("asking for the node", "sudo -n docker info --format 'swarm {{json .Swarm}}'") { IsRepeatable = true };

    /// <summary>Describes every node.</summary>
    public static HostCommand Nodes => new("listing the Swarm's nodes", Shell.Root("docker node inspect $(docker node ls --quiet)")) { IsRepeatable = true };

    /// <summary>Makes nodes managers.</summary>
    public static HostCommand Promote(IEnumerable<string> nodes) => new("making managers", $"sudo -n docker node promote {string.Join(' ', nodes)}") { IsRepeatable = true };

    /// <summary>Makes managers ordinary nodes.</summary>
    public static HostCommand Demote(IEnumerable<string> nodes) => new("releasing managers", $"sudo -n docker node demote {string.Join(' ', nodes)}") { IsRepeatable = true };

    /// <summary>
    /// Takes its office from a manager that is gone. One whose joining was broken off holds none, which the engine calls an
    /// error: whoever does hold one still is not removed after this.
    /// </summary>
    public static HostCommand DemoteGone(string node) => new("releasing a manager that is gone", Shell.Root($"docker node demote {node} || true")) { IsRepeatable = true };

    /// <summary>Forgets a node that is gone, or has left. One that was a manager a moment ago is refused until the others have taken note.</summary>
    public static HostCommand Remove(string node) => new("removing a node from the Swarm",
        Shell.Root($"for attempt in $(seq 30); do if docker node rm --force {node}; then exit 0; fi; sleep 1; done; exit 1"))
    { Timeout = TimeSpan.FromMinutes(1) };

    /// <summary>Tells a node what it is to run.</summary>
    public static HostCommand Label(string node, HostRole role) =>
        new("giving a node its role", $"sudo -n docker node update --availability active --label-add role={RoleName(role)} {node}") { IsRepeatable = true };

    /// <summary>Has a node stop its tasks and take no more.</summary>
    public static HostCommand Drain(string node) => new("draining a node", $"sudo -n docker node update --availability drain {node}") { IsRepeatable = true };

    /// <summary>A role as the node's label says it.</summary>
    public static string RoleName(HostRole role) => role is HostRole.Worker ? "worker" : "orchestrator";
}
