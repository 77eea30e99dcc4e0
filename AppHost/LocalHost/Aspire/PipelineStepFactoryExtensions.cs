using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Pipelines;

/// <summary>Names of steps that every pipeline has.</summary>
public static class WellKnownPipelineSteps
{
    /// <summary>What all of a deployment stands for.</summary>
    public const string Deploy = "deploy";

    /// <summary>What comes before anything is deployed.</summary>
    public const string DeployPrereq = "deploy-prereq";
}

/// <summary>What a step is given when it runs.</summary>
public sealed class PipelineStepContext
{
    private PipelineStepContext()
    {
    }

    /// <summary>Cancelled when the pipeline is given up.</summary>
    public CancellationToken CancellationToken { get; }
}

/// <summary>Adds steps to the pipeline of <c>aspire deploy</c>, which LocalHost has not: here they are never run.</summary>
public static class PipelineStepFactoryExtensions
{
    /// <summary>Adds a step.</summary>
    public static IResourceBuilder<T> WithPipelineStepFactory<T>(
        this IResourceBuilder<T> builder,
        string stepName,
        Func<PipelineStepContext, Task> callback,
        string[]? dependsOn = null,
        string[]? requiredBy = null,
        string[]? tags = null,
        string? description = null)
        where T : IResource
        => builder;
}
