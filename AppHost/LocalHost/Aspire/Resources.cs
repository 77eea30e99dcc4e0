using Lab.AppHost.LocalHost;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A named part of the application.</summary>
public interface IResource
{
    /// <summary>The unique name, as other resources and the logs know it.</summary>
    string Name { get; }
}

/// <summary>A resource that takes environment variables.</summary>
public interface IResourceWithEnvironment : IResource;

/// <summary>A resource that takes a command line.</summary>
public interface IResourceWithArgs : IResource;

/// <summary>A resource that can be called.</summary>
public interface IResourceWithEndpoints : IResource;

/// <summary>A resource whose endpoints others find by its name.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>A resource that can wait for others.</summary>
public interface IResourceWithWaitSupport : IResource;

/// <summary>What the methods that configure a resource hand on to each other.</summary>
/// <typeparam name="T">The kind of resource.</typeparam>
public interface IResourceBuilder<out T>
    where T : IResource
{
    /// <summary>The resource that is being configured.</summary>
    T Resource { get; }
}

/// <summary>A .NET project that runs as a process.</summary>
public sealed class ProjectResource : IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport
{
    internal ProjectResource(string name, IBuiltProject project) => (Name, Project) = (name, project);

    /// <inheritdoc/>
    public string Name { get; }

    internal IBuiltProject Project { get; }

    internal Dictionary<string, string> Environment { get; } = [];

    internal List<string> Arguments { get; } = [];

    internal bool IsExplicitStart { get; set; }

    internal HttpEndpoint? Endpoint { get; set; }

    internal string? HealthPath { get; set; }

    internal List<ResourceCommand> Commands { get; } = [];

    /// <summary>What changes the list of links, in turn; the endpoint's own address is there from the beginning.</summary>
    internal List<Action<List<ResourceUrlAnnotation>>> Links { get; } = [];

    /// <summary>The links to show, once the ports are known.</summary>
    internal IReadOnlyList<ResourceUrlAnnotation> Urls()
    {
        if (Endpoint is null)
            return [];
        List<ResourceUrlAnnotation> links = [new() { Url = Endpoint.Url }];
        Links.ForEach(change => change(links));
        links.ForEach(link => link.Url = new Uri(new Uri(Endpoint.Url), link.Url).AbsoluteUri);
        return links;
    }

    internal List<ProjectResource> References { get; } = [];

    internal List<ProjectResource> Dependencies { get; } = [];
}
