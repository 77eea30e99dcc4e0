using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that put a release into service, for a manager of the Swarm.</summary>
/// <param name="deployment">The deployment's name: the stack's.</param>
internal sealed class RolloutCommands(string deployment)
{
    private const string Separator = "---";

    /// <summary>The deployment's name.</summary>
    public string Deployment => deployment;

    private string ReleasePrefix => $"{deployment}-release-";

    /// <summary>Keeps a secret in the Swarm.</summary>
    public HostCommand CreateSecret(FleetSecret secret) => new($"keeping the secret {secret.Kind}", $"sudo -n docker secret create --label lab.deployment={deployment} {secret.Name(deployment)} -")
    {
        Input = secret.Content,
        InputInWords = "the secret",
    };

    /// <summary>The names of the deployment's secrets.</summary>
    public HostCommand Secrets => new("listing secrets", $"sudo -n docker secret ls --filter label=lab.deployment={deployment} --format '{{{{.Name}}}}'") { IsRepeatable = true };

    /// <summary>Deletes a secret that no kept version needs.</summary>
    public static HostCommand RemoveSecret(string name) => new("deleting an old secret", $"sudo -n docker secret rm {name}");

    /// <summary>Makes the services what a stack file says. It is idempotent: services that differ in nothing are left alone.</summary>
    public HostCommand Deploy(JsonNode stack) => new("deploying the stack", $"sudo -n docker stack deploy --resolve-image never --compose-file - {deployment}")
    {
        Input = StackFile.Text(stack),
        Timeout = TimeSpan.FromMinutes(1),
        IsRepeatable = true,
    };

    /// <summary>A service, and the tasks of it that should run.</summary>
    public HostCommand State(string service) => new($"looking at {service}", Shell.Root($"""
        docker service inspect {deployment}_{service} 2>/dev/null || exit 0
        echo {Separator}
        # A task may be forgotten between the two.
        for _ in 1 2 3 4 5; do
            if tasks=$(docker service ps --quiet --no-trunc {deployment}_{service} | xargs -r docker inspect --type task); then printf '%s\n' "$tasks"; exit 0; fi
        done
        exit 1
        """)) { IsRepeatable = true };

    /// <summary>What <see cref="State"/> wrote, or null where there is no such service.</summary>
    public static ServiceState? ReadState(string output)
    {
        var parts = output.Split($"\n{Separator}", 2);
        return parts.Length < 2 ? null : ServiceState.Parse(parts[0], parts[1]);
    }

    /// <summary>The last lines that a task's container wrote.</summary>
    public static HostCommand TaskLog(string task) =>
        new("reading the log", $"sudo -n timeout 15 docker service logs --raw --tail {HostFailedException.MaxLogLines} {task} 2>&1") { IsRepeatable = true };

    /// <summary>The names of the kept versions, each with a number that grows.</summary>
    public HostCommand Releases => new("listing kept versions", $"sudo -n docker config ls --filter name={ReleasePrefix} --format '{{{{.Name}}}}'") { IsRepeatable = true };

    /// <summary>Keeps a version in the Swarm, where it outlives every single host.</summary>
    public HostCommand KeepRelease(int number, Release release) => new("keeping the version", $"sudo -n docker config create {ReleaseName(number, release.Version)} -") { Input = release.Text };

    /// <summary>Reads a kept version.</summary>
    public static HostCommand ReadRelease(string name) => new("reading a kept version", Shell.Root($"docker config inspect --format '{{{{json .Spec.Data}}}}' {name} | tr -d '\"' | base64 -d")) { IsRepeatable = true };

    /// <summary>Forgets a kept version.</summary>
    public static HostCommand ForgetRelease(string name) => new("forgetting an old version", $"sudo -n docker config rm {name}");

    /// <summary>The name under which a version is kept.</summary>
    public string ReleaseName(int number, string version) => $"{ReleasePrefix}{number:D6}-{version}";

    /// <summary>Reads names of kept versions, newest first.</summary>
    public IReadOnlyList<KeptRelease> ReadReleases(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(name => name.StartsWith(ReleasePrefix, StringComparison.Ordinal))
            .Select(name => (name, Parts: name[ReleasePrefix.Length..].Split('-')))
            .Where(one => one.Parts.Length == 2 && int.TryParse(one.Parts[0], out _))
            .Select(one => new KeptRelease(one.name, int.Parse(one.Parts[0], System.Globalization.CultureInfo.InvariantCulture), one.Parts[1]))
            .OrderByDescending(one => one.Number)];
}

/// <summary>A version kept in the Swarm.</summary>
/// <param name="Name">The name under which it is kept.</param>
/// <param name="Number">Grows with each time that a version is put into service.</param>
/// <param name="Version">The version.</param>
internal sealed record KeptRelease(string Name, int Number, string Version);
