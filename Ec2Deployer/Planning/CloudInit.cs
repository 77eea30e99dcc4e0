using System.Globalization;
using System.Text;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// The document that a new host reads at its first boot (cloud-config). Pure, the same for the same input, and without
/// secrets: whoever may describe the instance may read it.
/// </summary>
internal static class CloudInit
{
    /// <summary>
    /// Settings of the kernel. The orchestrator runs without privileges on the host's own network and listens on 80 and 443.
    /// And a connection to a host that has died ends after 25 seconds instead of a quarter of an hour, for which a member of
    /// the Swarm would wait for the manager that it was connected to.
    /// </summary>
    public static readonly string[] KernelSettings = ["net.ipv4.ip_unprivileged_port_start=80", "net.ipv4.tcp_retries2=6"];

    /// <summary>
    /// The configuration of Docker's engine. A container that writes much must not fill the disk ("live-restore" cannot be
    /// had with Swarm), and no program in one gains privileges that it was not started with: a stack file cannot say that,
    /// <c>docker stack deploy</c> passes over <c>security_opt</c>.
    /// </summary>
    public const string DockerConfiguration = """{"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}, "no-new-privileges": true}""";

    // Read behind the package's own 50unattended-upgrades, whose list of origins it replaces: Debian's has all updates in it.
    private const string Upgrades = """
              APT::Periodic::Update-Package-Lists "1";
              APT::Periodic::Unattended-Upgrade "1";
              #clear Unattended-Upgrade::Origins-Pattern;
              Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename},label=Debian-Security"; "origin=Debian,codename=${distro_codename}-security,label=Debian-Security"; };
              Unattended-Upgrade::Package-Blacklist { "docker"; "containerd"; "runc"; };
              Unattended-Upgrade::Automatic-Reboot "false";

        """;

    /// <summary>The document of one host.</summary>
    /// <param name="host">The host's name, which becomes the machine's.</param>
    /// <param name="ttl">After how long the machine powers off, which ends the instance; null: never.</param>
    /// <param name="end">The moment at which it does so instead, or null.</param>
    public static string Document(string host, TimeSpan? ttl, DateTimeOffset? end = null) =>
        WithBootCommand(host, end is not null ? HostTimer.BootAt(end) : ttl is { } life ? HostTimer.BootAfter(life) : "");

    /// <summary>The document of one host.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="bootcmd">What is done at boot before all else: one of <see cref="HostTimer"/>'s, or nothing.</param>
    public static string WithBootCommand(string host, string bootcmd)
    {
        var text = new StringBuilder();
        text.Append("#cloud-config\n");
        text.Append(CultureInfo.InvariantCulture, $"hostname: {host}\n");
        text.Append("preserve_hostname: false\n");
        text.Append("manage_etc_hosts: true\n");
        text.Append("ssh_pwauth: false\n");
        text.Append("disable_root: true\n");
        // The fingerprint that the deployer pins comes from the console: only one kind of key, so that there is no choice.
        text.Append("ssh_deletekeys: true\n");
        text.Append("ssh_genkeytypes: [ed25519]\n");
        text.Append("ssh:\n  emit_keys_to_console: true\n");
        text.Append("package_update: true\n");
        text.Append("package_upgrade: false\n");
        text.Append("write_files:\n");
        text.Append("  - path: /etc/sysctl.d/60-lab.conf\n    content: |\n");
        foreach (var setting in KernelSettings) text.Append(CultureInfo.InvariantCulture, $"      {setting}\n");
        text.Append(CultureInfo.InvariantCulture, $"  - path: /etc/docker/daemon.json\n    content: |\n      {DockerConfiguration}\n");
        // Security upgrades of everything but Docker, whose restart would end the containers, on every host at the same hour.
        text.Append("  - path: /etc/apt/apt.conf.d/52lab-upgrades\n    content: |\n").Append(Upgrades.ReplaceLineEndings("\n"));
        text.Append(bootcmd);
        text.Append("runcmd:\n");
        text.Append("  - sysctl --system\n");
        // A mirror that is away for a moment, or another apt at work, must not leave a host without its engine.
        text.Append("  - |\n");
        text.Append("    for try in 1 2 3 4 5 6; do\n");
        text.Append("      DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends docker.io unattended-upgrades && break\n");
        text.Append("      sleep 10\n");
        text.Append("      apt-get update\n");
        text.Append("    done\n");
        // Whoever else upgrades packages there leaves Docker alone too.
        text.Append("  - apt-mark hold docker.io containerd runc\n");
        text.Append("  - systemctl enable --now docker\n");
        return text.ToString();
    }
}
