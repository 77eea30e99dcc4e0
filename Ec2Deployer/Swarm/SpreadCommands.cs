using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>
/// The command lines by which layers go from the orchestrator's host to the others over the private network, so that
/// they pass the deployer's own link once. For as long as it takes, an SSH server of its own answers on a port that
/// the hosts may reach among themselves and that is free on the orchestrator's host, being the workers' (SSH's own port
/// is open to the deployer alone). It runs as the unprivileged user, with keys made for this one transfer: it shows the
/// host key that the others were told to expect, and the one key that it accepts may do nothing but read layers.
/// </summary>
internal static class SpreadCommands
{
    /// <summary>The first worker's port.</summary>
    public const int Port = 8000;

    /// <summary>The last line of what <see cref="Serve"/> writes before it serves.</summary>
    public const string Ready = "ready";

    /// <summary>
    /// Serves layers until its standard input ends. Writes the host key as a line for <c>known_hosts</c>, then the
    /// private key for the others, then <see cref="Ready"/>.
    /// </summary>
    public static HostCommand Serve(DeployedHost hub) => new("serving layers to the other hosts", $"sh -ec {Shell.Quote($$"""
        umask 077
        # Whoever held the lock before is gone, and with it what it may have left.
        for old in /dev/shm/lab-spread.*; do
            if [ -e "$old/pid" ] && grep -qa "$old" "/proc/$(cat "$old/pid")/cmdline" 2>/dev/null; then kill "$(cat "$old/pid")"; fi
            rm -rf "$old"
        done
        directory=$(mktemp -d /dev/shm/lab-spread.XXXXXX)
        # A shell that dies of a signal, such as that nobody reads what it writes, would leave the server behind.
        trap "" PIPE
        trap 'exit 1' HUP INT TERM
        trap 'kill $server 2>/dev/null; rm -rf "$directory"' EXIT
        ssh-keygen -q -t ed25519 -N "" -C lab -f "$directory/host"
        ssh-keygen -q -t ed25519 -N "" -C lab -f "$directory/client"
        cat > "$directory/read" <<'END'
        #!/bin/sh
        case "$SSH_ORIGINAL_COMMAND" in "" | *[!0-9a-f]*) exit 1 ;; esac
        exec cat {{FleetPaths.Blobs}}/"$SSH_ORIGINAL_COMMAND".tar.gz
        END
        echo "restrict,command=\"sh $directory/read\" $(cat "$directory/client.pub")" > "$directory/authorized_keys"
        /usr/sbin/sshd -D -f /dev/null -p {{Port}} -o ListenAddress={{hub.PrivateAddress}} -o HostKey="$directory/host" -o AuthorizedKeysFile="$directory/authorized_keys" -o PidFile=none -o StrictModes=no -o UsePAM=no -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o MaxStartups=64 -E "$directory/log" 9>&- &
        server=$!
        echo "$server" > "$directory/pid"
        echo "[{{hub.PrivateAddress}}]:{{Port}} $(cut -d ' ' -f 1,2 "$directory/host.pub")"
        cat "$directory/client"
        rm "$directory/client"
        timeout 5 sh -c 'until ss -Hltn "sport = :{{Port}}" | grep -q .; do sleep 0.05; done' || { cat "$directory/log" >&2; exit 1; }
        echo {{Ready}}
        timeout 7200 cat > /dev/null
        """)}") { Timeout = TimeSpan.FromHours(2) };

    /// <summary>Fetches layers from the orchestrator's host; each counts as there only when it has come whole.</summary>
    /// <param name="hub">The orchestrator's host.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="credentials">What <see cref="Serve"/> wrote: a line for <c>known_hosts</c>, and a private key.</param>
    public static HostCommand Fetch(DeployedHost hub, IEnumerable<ImageLayer> layers, string credentials) => new($"fetching layers from {hub.Name}", $"sh -ec {Shell.Quote($$"""
        umask 077
        directory=$(mktemp -d /dev/shm/lab-fetch.XXXXXX)
        trap 'rm -rf "$directory" {{FleetPaths.Blobs}}/.*.$$' EXIT
        IFS= read -r known
        echo "$known" > "$directory/known_hosts"
        cat > "$directory/key"
        cd {{FleetPaths.Blobs}}
        fetch() {
            ssh -F none -i "$directory/key" -o IdentitiesOnly=yes -o UserKnownHostsFile="$directory/known_hosts" -o StrictHostKeyChecking=yes -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -p {{Port}} {{hub.SshUser}}@{{hub.PrivateAddress}} "$1" > ".$1.$$"
            echo "$2  .$1.$$" | sha256sum --check --quiet -
            chmod 644 ".$1.$$"
            mv ".$1.$$" "$1.tar.gz"
        }
        {{string.Join('\n', layers.Select(layer => $"fetch {layer.DiffId} {layer.Sha256}"))}}
        """)}")
    {
        Timeout = TimeSpan.FromHours(1),
        Input = credentials,
        InputInWords = "the host key to expect and the key for this one transfer",
    };
}
