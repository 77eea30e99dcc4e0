using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The way to the dashboard through SSH, and the connection that it needs.</summary>
internal sealed class DashboardTunnel(FleetSession session, HostConnection connection, HostTunnel tunnel, Uri address, TimeProvider time) : IDashboardTunnel
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly HostCommand Probe = new("seeing that the host answers", "true") { Timeout = TimeSpan.FromSeconds(10) };

    /// <inheritdoc/>
    public Uri Address => address;

    /// <inheritdoc/>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var pause = Task.Delay(Interval, time, cancellationToken);
            if (await Task.WhenAny(tunnel.Lost, pause) == tunnel.Lost) throw Lost((await tunnel.Lost).Message, await tunnel.Lost);
            await pause;
            try
            {
                // A network that swallows packets breaks no connection: only an answer tells that it is there.
                await connection.TryAsync(Probe, cancellationToken);
            }
            catch (HostFailedException e)
            {
                throw Lost(e.What, e);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await tunnel.DisposeAsync();
        session.Dispose();
    }

    private DeploymentException Lost(string why, Exception cause) => new(ExitCode.HostFailed,
        $"{connection.Host.Name}: the connection to the dashboard is lost: {why.TrimEnd('.')}. What runs there runs on. Check the network and that the machine runs, and run 'dashboard' again.", cause);
}
