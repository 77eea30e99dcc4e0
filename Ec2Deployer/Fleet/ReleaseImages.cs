using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The images of a release, built from the sources on this machine.</summary>
/// <param name="LayerDirectory">Where their layers' files are.</param>
/// <param name="Orchestrator">The orchestrator's.</param>
/// <param name="Worker">The worker's, with the model.</param>
/// <param name="Dashboard">That of Aspire's dashboard, or null where there is to be none.</param>
internal sealed record ReleaseImages(string LayerDirectory, PackedImage Orchestrator, PackedImage Worker, PackedImage? Dashboard = null)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Builds them, or finds them built.</summary>
    /// <param name="sources">The directory of the solution.</param>
    /// <param name="http">For asking the base image's registry.</param>
    /// <param name="release">Base image, model, the hosts' processors, and whether there is a dashboard.</param>
    /// <param name="progress">Told of it.</param>
    /// <param name="time">The clock of the wait for another publish on this machine.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="DeploymentException">They cannot be built, or the base image cannot be had.</exception>
    public static async Task<ReleaseImages> BuildAsync(
        string sources, HttpClient http, ReleaseOptions release, IProgressSink progress, TimeProvider time, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("building the images");
        using var alone = await AloneAsync(release.StateDirectory, step, time, cancellationToken);
        var builder = new ImageBuilder(sources, release.StateDirectory, http, release.Architecture);
        var orchestrator = await builder.BuildAsync(ContainerProject.Orchestrator, release.BaseImage, model: null, cancellationToken);
        var worker = await builder.BuildAsync(ContainerProject.Worker, release.BaseImage, release.ModelDirectory, cancellationToken);
        var dashboard = release.Dashboard ? await DashboardImage.BuildAsync(builder, orchestrator, cancellationToken) : null;
        step.Done($"{orchestrator.Tag} and {worker.Tag}");
        return new(builder.LayerDirectory, orchestrator, worker, dashboard);
    }

    // EAGAIN of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows.
    private static bool IsTaken(IOException e) => (e.HResult & 0xffff) is 11 or 35 or 32;

    // No lock on the hosts is held yet, and two compilers in one directory spoil each other's files.
    private static async Task<FileStream> AloneAsync(string directory, IProgressStep step, TimeProvider time, CancellationToken cancellationToken)
    {
        var build = Directory.CreateDirectory(Path.Combine(directory, "build")).FullName;
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(build, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (IsTaken(e))
            {
                step.Say("another publish on this machine builds them");
                await Task.Delay(Poll, time, cancellationToken);
            }
        }
    }
}
