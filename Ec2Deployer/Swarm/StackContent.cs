using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What a stack file is made of.</summary>
internal sealed record StackContent
{
    /// <summary>The deployment's name: the stack's, and the first part of its services' names.</summary>
    public required string Deployment { get; init; }

    /// <summary>The worker's image.</summary>
    public required string WorkerImage { get; init; }

    /// <summary>The orchestrator's image.</summary>
    public required string OrchestratorImage { get; init; }

    /// <summary>Which nodes run an orchestrator, as a constraint of the Swarm.</summary>
    public string OrchestratorNodes { get; init; } = "node.labels.role == orchestrator";

    /// <summary>The secrets, those that services do not see included.</summary>
    public IReadOnlyList<FleetSecret> Secrets { get; init; } = [];

    /// <summary>Where telemetry goes, or null.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Where Aspire's dashboard takes telemetry, in the place of <see cref="Otlp"/>, or null: there is none.</summary>
    public string? DashboardEndpoint { get; init; }

    /// <summary>The model's directory in the worker's image, or null: the bundled one.</summary>
    public string? ModelPath { get; init; }

    /// <summary>Whether jobs are kept in PostgreSQL.</summary>
    public bool Postgres { get; init; }

    /// <summary>The certificate's file in the container, or null: self-signed.</summary>
    public string? Certificate { get; init; }

    /// <summary>Whether port 80 takes requests, without keys, instead of sending them on to HTTPS.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Whether workers ask EC2's metadata service whether their spot instance is taken back.</summary>
    public bool SpotNotices { get; init; }

    /// <summary>How fast a rollout is.</summary>
    public StackTimes Times { get; init; } = StackTimes.Default;

    /// <summary>The content of a release, whether its images and secrets are made already or only planned.</summary>
    /// <param name="release">What is to run.</param>
    /// <param name="orchestratorImage">The orchestrator's image.</param>
    /// <param name="workerImage">The worker's image.</param>
    /// <param name="secrets">The secrets.</param>
    /// <param name="times">How fast a rollout is.</param>
    /// <param name="orchestratorAddress">The private address of the orchestrator's host, where the dashboard is.</param>
    public static StackContent Of(
        ReleaseOptions release, string orchestratorImage, string workerImage, IReadOnlyList<FleetSecret> secrets, StackTimes times, string orchestratorAddress) => new()
        {
            Deployment = release.Deployment,
            WorkerImage = workerImage,
            OrchestratorImage = orchestratorImage,
            OrchestratorNodes = release.OrchestratorOnEachManager ? Release.EachManager : "node.labels.role == orchestrator",
            Secrets = secrets,
            Otlp = release.Otlp,
            DashboardEndpoint = release.Dashboard ? DashboardStack.Endpoint(orchestratorAddress) : null,
            ModelPath = release.ModelDirectory is { } model ? PublishedFiles.ModelPath(model) : null,
            Postgres = release.PostgresFile is not null,
            Certificate = FleetSecret.CertificatePath,
            PlainHttp = release.PlainHttp,
            SpotNotices = release.SpotNotices,
            Times = times,
        };
}
