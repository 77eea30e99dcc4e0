using System.Net.Sockets;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>dashboard</c>: a way from this machine to the pages of Aspire's dashboard, which its host shows to itself alone.</summary>
/// <param name="access">The way to the hosts.</param>
internal sealed class DashboardOperation(FleetAccess access)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc cref="IFleetDeployer.OpenDashboardAsync"/>
    public async Task<IDashboardTunnel> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, int localPort, CancellationToken cancellationToken)
    {
        var token = FleetKeys.DashboardToken(release.StateDirectory);
        var host = hosts.FirstOrDefault(host => host.Role is HostRole.Orchestrator)
            ?? throw new DeploymentException(ExitCode.HostFailed, "The orchestrator's host, on which the dashboard is, does not run. 'publish' puts another in its place.");
        var session = await access.OpenAsync([host], release, cancellationToken);
        HostTunnel? tunnel = null;
        try
        {
            session.RequireAll();
            tunnel = Open(session[host], localPort);
            await UntilItAnswersAsync(host, tunnel, cancellationToken);
            return new DashboardTunnel(session, session[host], tunnel, new Uri($"http://localhost:{tunnel.Port}/login?t={Uri.EscapeDataString(token)}"), access.Time);
        }
        catch (Exception e)
        {
            if (tunnel is not null) await tunnel.DisposeAsync();
            session.Dispose();
            if (e is HostFailedException failure) throw FleetFailure.Told(failure, session);
            throw;
        }
    }

    private static HostTunnel Open(HostConnection connection, int localPort)
    {
        try
        {
            return connection.OpenTunnel(localPort, FleetShape.DashboardPort);
        }
        catch (SocketException e)
        {
            throw new DeploymentException(ExitCode.Usage, $"--port {localPort} of this machine cannot be had: {e.Message.TrimEnd('.')}. Name another, or none: one that is free is taken then.", e);
        }
    }

    private async Task UntilItAnswersAsync(DeployedHost host, HostTunnel tunnel, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Answer };
        var address = new Uri($"http://127.0.0.1:{tunnel.Port}/health");
        var started = access.Time.GetTimestamp();
        while (true)
        {
            string why;
            try
            {
                using var answer = await http.GetAsync(address, cancellationToken);
                if (answer.IsSuccessStatusCode) return;
                why = $"it answers {(int)answer.StatusCode}";
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                why = e.Message.TrimEnd('.');
            }

            if (access.Time.GetElapsedTime(started) > Deadline)
                throw new HostFailedException(host.Name, $"the dashboard does not answer through SSH: {why}", $"'status' shows whether it runs, 'logs --container {FleetShape.Dashboard}' its log; 'publish' starts it again.");
            await Task.Delay(Poll, access.Time, cancellationToken);
        }
    }
}
