using Aspire.Hosting.ApplicationModel;
using Lab.AppHost.LocalHost;

namespace Aspire.Hosting;

/// <summary>Where a project is; <c>Projects.Worker</c> and the like implement it.</summary>
public interface IProjectMetadata
{
    /// <summary>The full path of the project file.</summary>
    string ProjectPath { get; }
}

/// <summary>How a project is run.</summary>
public sealed class ProjectResourceOptions
{
    /// <summary>Whether the project's launchSettings.json is ignored, which LocalHost always does.</summary>
    public bool ExcludeLaunchProfile { get; set; }
}

/// <summary>Adds projects to an application.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project, which runs from its build output.</summary>
    /// <typeparam name="TProject">A class of the namespace <c>Projects</c>.</typeparam>
    /// <param name="builder">The application.</param>
    /// <param name="name">A unique name.</param>
    /// <param name="configure">Sets the options.</param>
    /// <exception cref="InvalidOperationException">The name is taken.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, Action<ProjectResourceOptions> configure)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(new ProjectResourceOptions());
        return ((LocalBuilder)builder).Add(new ProjectResource(name, (IBuiltProject)new TProject()));
    }
}
