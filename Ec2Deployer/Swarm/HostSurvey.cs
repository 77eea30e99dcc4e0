using System.Globalization;
using System.Text.Json;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What a host was found to have.</summary>
internal sealed record HostSurvey
{
    // Its seccomp profile is the first that answers clone3 with ENOSYS, which glibc 2.34 and later understand.
    private static readonly Version MinimumDocker = new(20, 10, 10);

    /// <summary><c>inactive</c>, <c>active</c>, <c>pending</c>, <c>error</c> or <c>locked</c>.</summary>
    public string SwarmState { get; private set; } = "inactive";

    /// <summary>Its node's id, or empty.</summary>
    public string NodeId { get; private set; } = "";

    /// <summary>Whether it is a manager that can be spoken to.</summary>
    public bool IsManager { get; private set; }

    /// <summary>References of the images that it has.</summary>
    public HashSet<string> Images { get; } = new(StringComparer.Ordinal);

    /// <summary>Layers that it has, by their names.</summary>
    public HashSet<string> Layers { get; } = new(StringComparer.Ordinal);

    /// <summary>Free bytes, by directory.</summary>
    public Dictionary<string, long> Free { get; } = new(StringComparer.Ordinal);

    /// <summary>Services of which a container runs.</summary>
    public HashSet<string> Services { get; } = new(StringComparer.Ordinal);

    /// <summary>Who listens on which TCP port.</summary>
    public Dictionary<int, string> Listening { get; } = [];

    /// <summary>Docker's packages of which there are newer versions, and those.</summary>
    public Dictionary<string, string> Upgrades { get; } = new(StringComparer.Ordinal);

    /// <summary>Its processor, by the kernel's name for it, and its Docker's version; empty where the survey did not tell.</summary>
    public (string Processor, string Docker) Machine { get; private set; } = ("", "");

    /// <summary>Reads what the command of <see cref="HostCommands.Survey"/> wrote.</summary>
    public static HostSurvey Parse(string output)
    {
        var survey = new HostSurvey();
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["swarm", ..]: survey.ReadSwarm(line["swarm ".Length..]); break;
                case ["machine", var processor, var docker]: survey.Machine = (processor, docker); break;
                case ["image", var image]: survey.Images.Add(image); break;
                case ["blob", var layer]: survey.Layers.Add(layer); break;
                case ["free", var kibibytes, var directory]: survey.Free[directory] = long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024; break;
                case ["upgrade", var package, var version]: survey.Upgrades[package] = version; break;
                case ["container", var service]: survey.Services.Add(service); break;
                case ["listening", var address, ..]:
                    if (int.TryParse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
                        survey.Listening.TryAdd(port, words.Length > 2 ? Owner(words[2]) : "another process");
                    break;
                default: break;
            }
        }

        return survey;
    }

    /// <summary>The same host after it has joined a Swarm or left it.</summary>
    /// <param name="membership">What the command of <see cref="SwarmCommands.Membership"/> wrote.</param>
    public HostSurvey With(string membership)
    {
        var other = Parse(membership);
        return this with { SwarmState = other.SwarmState, NodeId = other.NodeId, IsManager = other.IsManager };
    }

    /// <summary>Who has a port that a service needs, or null.</summary>
    /// <param name="host">The host.</param>
    /// <param name="services">Full names of the services that it is to run, with their ports.</param>
    public HostFailedException? TakenPort(DeployedHost host, IEnumerable<(string Service, int[] Ports)> services)
    {
        foreach (var (service, ports) in services.Where(one => !Services.Contains(one.Service)))
        {
            foreach (var port in ports)
            {
                if (Listening.TryGetValue(port, out var owner))
                    return new(host.Name, $"port {port} ({host.PrivateAddress}) is taken by {owner}, where {service} is to answer", $"Stop {owner} on {host.Name}, and run the command again.");
            }
        }

        return null;
    }

    /// <summary>Which disk has no room for images, or null.</summary>
    /// <param name="host">The host.</param>
    /// <param name="bytes">How many bytes of compressed layers it is to receive.</param>
    public HostFailedException? FullDisk(DeployedHost host, long bytes)
    {
        // Compressed layers, the archive put together of them, and the layers as the engine unpacks them.
        var needed = bytes * 4;
        foreach (var (directory, free) in Free)
        {
            if (free < needed)
                return new(host.Name, $"its disk is full: {directory} has {free >> 20} MiB free, and the images need about {needed >> 20} MiB", $"Free space on {host.Name}, or give the hosts larger disks, and run the command again.");
        }

        return null;
    }

    /// <summary>Why the images cannot run there, or null: they are for another processor, or too new for its Docker.</summary>
    /// <param name="host">The host.</param>
    /// <param name="architecture">For what the images are.</param>
    public HostFailedException? Unfit(DeployedHost host, HostArchitecture architecture)
    {
        if (Machine.Processor.Length > 0 && Machine.Processor != architecture.Kernel)
            return new(host.Name, $"its processor is {Machine.Processor}, and the images are for {architecture.Kernel}", "Choose an --instance-type and an --image of that architecture, and run the command again.");
        return Version.TryParse(Machine.Docker.Split('+', '-', '~')[0], out var docker) && docker < MinimumDocker
            ? new(host.Name, $"the images are too new for its Docker {Machine.Docker}: before {MinimumDocker} it keeps programs with a C library of 2021 or later from starting threads",
                $"Upgrade Docker on {host.Name}, choose a newer --image, or an older --base-image, and run the command again.")
            : null;
    }

    private void ReadSwarm(string json)
    {
        using var document = JsonDocument.Parse(json);
        var swarm = document.RootElement;
        SwarmState = swarm.GetProperty("LocalNodeState").GetString() ?? "inactive";
        NodeId = swarm.GetProperty("NodeID").GetString() ?? "";
        IsManager = swarm.GetProperty("ControlAvailable").GetBoolean();
    }

    // users:(("nginx",pid=42,fd=6)) → nginx
    private static string Owner(string users) => users.Split('"') is [_, var name, ..] ? name : "another process";
}
