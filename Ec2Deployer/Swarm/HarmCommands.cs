using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that harm a container on its host, and undo it.</summary>
internal static class HarmCommands
{
    private const string SlowCores = "0.25";

    /// <summary>Harms the container of a service on this host.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="service">The service, without the deployment's name.</param>
    /// <param name="kind">What to do.</param>
    public static HostCommand Command(string deployment, string service, Harm kind)
    {
        var find = $"container=$(docker ps --quiet --last 1 --filter label=com.docker.swarm.service.name={deployment}_{service})";
        return new($"{kind.ToString().ToLowerInvariant()} {service}", Shell.Root(kind is Harm.Thaw
            // Whoever was killed has been followed by one that is well.
            ? $$"""
                {{find}}
                [ -n "$container" ] || exit 0
                {{Signal("CONT")}}
                docker update --cpus {{StackFile.Cores}} "$container"
                """
            : $$"""
                {{find}}
                [ -n "$container" ] || { echo "{{service}} does not run here" >&2; exit 1; }
                {{kind switch { Harm.Kill => "docker kill \"$container\"", Harm.Freeze => Signal("STOP"), _ => $"docker update --cpus {SlowCores} \"$container\"" }}}
                """));
    }

    // To its program: 'docker pause' gives up on a container that is busy (cgroup v1's freezer), and probes come and go.
    private static string Signal(string name) => $$$"""kill -{{{name}}} $(docker inspect --format '{{.State.Pid}}' "$container")""";
}
