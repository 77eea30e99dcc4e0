using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that find newer versions of Docker's packages and install them. Hosts upgrade everything else by themselves.</summary>
internal static class DockerUpgradeCommands
{
    /// <summary>Lines of a script that tell which packages there are newer versions of, as the host's lists have them: <c>upgrade docker.io 20.10.25</c>.</summary>
    public const string TellNewer = """
        if command -v apt-cache >/dev/null; then
            LC_ALL=C apt-cache policy docker.io docker-ce docker-ce-cli containerd containerd.io runc 2>/dev/null | awk '/^[^ ]/ { name = substr($1, 1, length($1) - 1) } $1 == "Installed:" { installed = $2 } $1 == "Candidate:" && installed != "(none)" && installed != $2 { print "upgrade", name, $2 }'
        fi
        """;

    /// <summary>Has the host read its package sources again, and tell.</summary>
    public static HostCommand Refresh => new("looking for newer versions of Docker", Shell.Root($"""
        if command -v apt-get >/dev/null; then apt-get -q -o DPkg::Lock::Timeout=300 update >&2; fi
        {TellNewer}
        """)) { Timeout = TimeSpan.FromMinutes(6), IsRepeatable = true };

    /// <summary>Installs newer versions, upon which the engine restarts, and tells the engine's.</summary>
    /// <param name="packages">The packages' names.</param>
    public static HostCommand Install(IEnumerable<string> packages)
    {
        var names = string.Join(' ', packages);
        return new("upgrading Docker", Shell.Root($$$"""
            DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold install -y --only-upgrade --no-install-recommends --allow-change-held-packages {{{names}}} >&2
            apt-mark hold {{{names}}} >&2
            timeout 60 sh -c 'until docker info >/dev/null 2>&1; do sleep 0.2; done'
            docker version --format '{{.Server.Version}}'
            """)) { Timeout = TimeSpan.FromMinutes(10) };
    }

    /// <summary>Has a node take tasks again; a manager whose engine has just restarted is a moment finding the others.</summary>
    public static HostCommand Activate(string node) => new("giving a node its tasks back",
        Shell.Root($"timeout 60 sh -c 'until docker node update --availability active {node}; do sleep 1; done'"))
    { Timeout = TimeSpan.FromSeconds(70), IsRepeatable = true };
}
