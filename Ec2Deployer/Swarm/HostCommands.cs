using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that ready a host and give it files and images.</summary>
internal static class HostCommands
{
    /// <summary>Exit code of <see cref="Survey"/> where there is no Docker.</summary>
    public const int NoDocker = 10;

    /// <summary>Exit code of <see cref="Survey"/> where Docker's engine does not answer.</summary>
    public const int NoEngine = 11;

    /// <summary>
    /// Exit code of <see cref="Survey"/> where the first boot failed before it had installed Docker; the last lines of its
    /// log are on standard error.
    /// </summary>
    public const int FirstBootFailed = 12;

    /// <summary>Exit code of <see cref="Survey"/> where the first boot has not installed Docker yet.</summary>
    public const int FirstBootRuns = 13;

    /// <summary>Readies a host, waits for whatever its first boot still installs, and tells what it has.</summary>
    /// <param name="host">The host.</param>
    /// <param name="waits">Whether it waits for the first boot, and for a Swarm whose managers are still looking for one another.</param>
    public static HostCommand Survey(DeployedHost host, bool waits = true)
    {
        var boot = waits ? "if command -v cloud-init >/dev/null; then timeout 540 cloud-init status --wait >/dev/null 2>&1 || true; fi" : "# The first boot is not waited for.";
        var swarm = waits ? "timeout 60 sh -c 'while docker info --format \"{{.Swarm.LocalNodeState}}\" | grep -q pending; do sleep 0.5; done' || true" : "# Nor are the managers.";
        return new("looking at the host", Shell.Root($$$"""
        {{{boot}}}
        command -v docker >/dev/null || {
            command -v cloud-init >/dev/null || exit {{{NoDocker}}}
            case "$(timeout 20 cloud-init status 2>&1)" in *running* | *"not run"* | *"not started"*) exit {{{FirstBootRuns}}} ;; esac
            tail -n {{{HostFailedException.MaxLogLines}}} /var/log/cloud-init-output.log >&2 || true
            exit {{{FirstBootFailed}}}
        }
        timeout {{{(waits ? "30" : "5")}}} sh -c 'until docker info >/dev/null 2>&1; do sleep 0.2; done' || exit {{{NoEngine}}}
        {{{swarm}}}
        mkdir -p {{{FleetPaths.Blobs}}} {{{FleetPaths.Workers}}} {{{FleetPaths.State}}}
        chown {{{host.SshUser}}} {{{FleetPaths.Blobs}}}
        chown {{{FleetPaths.OrchestratorUser}}}:{{{FleetPaths.OrchestratorUser}}} {{{FleetPaths.State}}}
        chmod 700 {{{FleetPaths.State}}}
        if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ]; then
            echo net.ipv4.ip_unprivileged_port_start=80 > /etc/sysctl.d/90-lab.conf
            sysctl -q -p /etc/sysctl.d/90-lab.conf
        fi
        echo "machine $(uname -m) $(docker version --format '{{.Server.Version}}')"
        docker info --format 'swarm {{json .Swarm}}'
        docker image ls --format 'image {{.Repository}}:{{.Tag}}' '{{{ContainerProject.Registry}}}/*'
        for blob in {{{FleetPaths.Blobs}}}/*.tar.gz; do if [ -e "$blob" ]; then echo "blob $(basename "$blob" .tar.gz)"; fi; done
        for directory in {{{FleetPaths.Root}}} /var/lib/docker; do echo "free $(df -kP "$directory" | awk 'NR == 2 { print $4 }') $directory"; done
        docker ps --filter label=com.docker.stack.namespace --format 'container {{.Label "com.docker.swarm.service.name"}}'
        {{{DockerUpgradeCommands.TellNewer}}}
        ss -Hltnp | awk '{ print "listening", $4, $6 }'
        """)) { Timeout = TimeSpan.FromMinutes(waits ? 12 : 1), IsRepeatable = true };
    }

    /// <summary>Receives one layer; it counts as there only when it has come whole.</summary>
    public static HostCommand ReceiveLayer(ImageLayer layer) => new($"sending the {layer.Part} layer", $"sh -ec {Shell.Quote($$"""
        cd {{FleetPaths.Blobs}}
        part=.{{layer.DiffId}}.$$
        trap 'rm -f "$part"' EXIT
        cat > "$part" || { cat > /dev/null; exit 28; }
        echo "{{layer.Sha256}}  $part" | sha256sum --check --quiet -
        mv "$part" {{layer.FileName}}
        """)}") { Timeout = TimeSpan.FromHours(2), InputInWords = $"{layer.FileName}, {layer.Bytes} bytes" };

    /// <summary>Puts an archive together from its layers and has the engine load it.</summary>
    public static HostCommand Load(PackedImage image) => new($"loading {image.Reference}", Shell.Root($"""
        directory=$(mktemp -d)
        trap 'rm -rf "$directory"' EXIT
        IFS= read -r manifest
        IFS= read -r config
        printf %s "$manifest" > "$directory/manifest.json"
        printf %s "$config" > "$directory/config.json"
        tar -cf - -C "$directory" manifest.json config.json -C {FleetPaths.Root} {string.Join(' ', image.Layers.Select(layer => layer.ArchiveName))} | docker load --quiet
        docker image inspect --format ok {image.Reference}
        """))
    {
        Timeout = TimeSpan.FromMinutes(10),
        Input = $"{image.Manifest}\n{image.Config}\n",
        InputInWords = "the image's manifest and configuration",
        IsRepeatable = true,
    };

    /// <summary>Writes the list of workers, in one step for whoever reads it.</summary>
    public static HostCommand WriteWorkers(string list) => new("writing the list of workers", Shell.Root($"""
        cat > {FleetPaths.Workers}/.new
        chmod 644 {FleetPaths.Workers}/.new
        if cmp -s {FleetPaths.Workers}/.new {FleetPaths.Workers}/workers.json; then rm {FleetPaths.Workers}/.new; else mv {FleetPaths.Workers}/.new {FleetPaths.Workers}/workers.json; echo changed; fi
        """)) { Input = list, IsRepeatable = true };

    /// <summary>Deletes images and layers that no kept version needs.</summary>
    /// <param name="images">References to keep.</param>
    /// <param name="layers">Layers to keep, by their names.</param>
    public static HostCommand Prune(IEnumerable<string> images, IEnumerable<string> layers) => new("deleting old images", Shell.Root($$$"""
        keep=$(cat)
        for image in $(docker image ls --format '{{.Repository}}:{{.Tag}}' '{{{ContainerProject.Registry}}}/*'); do
            printf '%s\n' "$keep" | grep -qxF "$image" || docker image rm --force "$image" >/dev/null 2>&1 || true
        done
        for blob in {{{FleetPaths.Blobs}}}/*.tar.gz; do
            printf '%s\n' "$keep" | grep -qxF "$(basename "$blob" .tar.gz)" || rm -f "$blob"
        done
        """)) { Timeout = TimeSpan.FromMinutes(2), Input = string.Join('\n', images.Concat(layers)) + "\n", IsRepeatable = true };

    /// <summary>The stack's containers on this host: service, hash of its description, health, start.</summary>
    public static HostCommand Containers(string deployment) => new("looking at the containers", Shell.Root($$$"""
        # A container may be removed between the two.
        for _ in 1 2 3 4 5; do
            if containers=$(docker ps --quiet --filter label=com.docker.stack.namespace={{{deployment}}} | xargs -r docker inspect --format '{{index .Config.Labels "com.docker.swarm.service.name"}} {{index .Config.Labels "{{{StackFile.SpecLabel}}}"}} {{if .State.Health}}{{.State.Health.Status}}{{else}}unknown{{end}} {{.State.StartedAt}}'); then
                {{{DashboardCommands.TellHealth(deployment).ReplaceLineEndings("\n        ")}}}
                printf '%s\n' "$containers"
                exit 0
            fi
        done
        exit 1
        """)) { IsRepeatable = true };

    /// <summary>The certificate that the orchestrator serves, as PEM: the one that its container was given, or, in a version of before, made itself.</summary>
    public static HostCommand Certificate(string deployment) => new("reading the certificate", Shell.Root($"""
        {OrchestratorProcess(deployment)}
        for file in /proc/$process/root{FleetSecret.CertificatePath} {FleetPaths.State}/https/certificate.pem; do
            if [ -e "$file" ]; then sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p; /-END CERTIFICATE-/q' "$file"; exit 0; fi
        done
        exit 1
        """)) { IsRepeatable = true };

    /// <summary>Lines of a script that find the orchestrator's process, of two the newer that is healthy.</summary>
    public static string OrchestratorProcess(string deployment) => $$$"""
        container=$(docker ps --quiet --filter label=com.docker.swarm.service.name={{{deployment}}}_orchestrator --filter health=healthy | head -n 1)
        [ -n "$container" ] || { echo "no healthy orchestrator runs here" >&2; exit 1; }
        process=$(docker inspect --format '{{.State.Pid}}' "$container")
        """;

    /// <summary>Sets when the host ends itself.</summary>
    /// <param name="end">The moment, or null for never.</param>
    public static HostCommand SetEnd(DateTimeOffset? end) => new("setting the end", Shell.Root(HostTimer.Script(end))) { IsRepeatable = true };

    /// <summary>Writes one line to the audit log.</summary>
    public static HostCommand AppendAudit(string line) =>
        new("writing the audit log", $"sudo -n tee -a {FleetPaths.Audit}") { Input = line.ReplaceLineEndings(" ") + "\n" };
}
