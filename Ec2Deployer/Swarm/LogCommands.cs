using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>The command lines that read containers' logs on their own hosts.</summary>
internal static class LogCommands
{
    /// <summary>The lines that containers of a service wrote on this host; where they are followed, those of the next container too, until standard input ends.</summary>
    public static HostCommand Read(string deployment, string service, int tail, bool follow)
    {
        var newest = $"docker ps --all --quiet --last 1 --filter label=com.docker.swarm.service.name={deployment}_{service}";
        if (!follow)
        {
            return new("reading the log", Shell.Root($"""
                container=$({newest})
                [ -z "$container" ] || exec docker logs --timestamps --tail {tail} "$container" 2>&1
                """)) { Timeout = TimeSpan.FromMinutes(2) };
        }

        var reader = $$$"""
            tail={{{tail}}}
            while :; do
                container=$({{{newest}}})
                # One that was made and has not begun has a log that ends at once.
                if [ -n "$container" ] && [ "$container" != "$last" ] && [ "$(docker inspect --format '{{.State.Status}}' "$container")" != created ]; then
                    docker logs --timestamps --tail "$tail" --follow "$container" 2>&1 || true
                    last=$container tail=all
                else
                    sleep 1
                fi
            done
            """;
        // A group of its own, to end with the caller: a reader that waits for the next line would not notice that nobody listens.
        return new("following the log", Shell.Root($"""
            setsid sh -c {Shell.Quote(reader)} < /dev/null &
            cat > /dev/null || true
            kill -- -$!
            """)) { Timeout = TimeSpan.FromMinutes(2) };
    }
}
