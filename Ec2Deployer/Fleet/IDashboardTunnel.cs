namespace Lab.Ec2Deployer.Fleet;

/// <summary>An open way to the pages of Aspire's dashboard, for as long as it is not disposed.</summary>
internal interface IDashboardTunnel : IAsyncDisposable
{
    /// <summary>What a browser on this machine opens. The token in it lets in: it is shown to the user and kept nowhere else.</summary>
    Uri Address { get; }

    /// <summary>Goes on until it is cancelled, or fails when the way is lost.</summary>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="DeploymentException">The way is lost; with <see cref="Reporting.ExitCode.HostFailed"/>.</exception>
    Task WatchAsync(CancellationToken cancellationToken);
}
