using Aspire.Hosting.ApplicationModel;
using Lab.AppHost.LocalHost;

namespace Aspire.Hosting;

/// <summary>Configures the resources of an application.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Sets an environment variable of the process.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment
    {
        Project(builder).Environment[name] = value ?? "";
        return builder;
    }

    /// <summary>Gives the resource an HTTP endpoint, on a free port unless one is given.</summary>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null)
        where T : IResourceWithEndpoints
    {
        Project(builder).Endpoint = new HttpEndpoint(port);
        return builder;
    }

    /// <summary>Marks the endpoint as one for users; the address of such a resource is shown when all is ready.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        if (Project(builder).Endpoint is { } endpoint)
            endpoint.IsExternal = true;
        return builder;
    }

    /// <summary>Calls the resource ready when a GET of the path answers 200, instead of as soon as it runs.</summary>
    /// <exception cref="InvalidOperationException">The resource has no HTTP endpoint yet.</exception>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null)
        where T : IResourceWithEndpoints
    {
        var project = Project(builder);
        if (project.Endpoint is null)
            throw new InvalidOperationException($"{project.Name} has a health check and no HTTP endpoint: WithHttpEndpoint() comes first.");
        project.HealthPath = path ?? "/";
        return builder;
    }

    /// <summary>Tells the resource the address of another one, in the environment variables of service discovery.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment
    {
        Project(builder).References.Add(Project(source));
        return builder;
    }

    /// <summary>Starts the resource only when the other one has become ready.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        Project(builder).Dependencies.Add(Project(dependency));
        return builder;
    }

    /// <summary>Sets the command line of the process.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs
    {
        Project(builder).Arguments.AddRange(args);
        return builder;
    }

    /// <summary>Leaves the start to the user, who is told the command.</summary>
    public static IResourceBuilder<T> WithExplicitStart<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        Project(builder).IsExplicitStart = true;
        return builder;
    }

    /// <summary>Leaves the resource out of a manifest, which LocalHost never writes.</summary>
    public static IResourceBuilder<T> ExcludeFromManifest<T>(this IResourceBuilder<T> builder)
        where T : IResource
        => builder;

    /// <summary>Refers to an endpoint of the resource; LocalHost knows the one of <c>WithHttpEndpoint</c>, whose name is <c>http</c>.</summary>
    /// <exception cref="InvalidOperationException">There is no such endpoint.</exception>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints
        => Project(builder).Endpoint is { } endpoint && name == HttpEndpoint.Name
            ? new EndpointReference(endpoint)
            : throw new InvalidOperationException($"{builder.Resource.Name} has no endpoint '{name}'.");

    /// <summary>Changes the link that the dashboard shows for an endpoint.</summary>
    public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<ResourceUrlAnnotation> callback)
        where T : IResource
    {
        Project(builder).Links.Add(links => links.Where(_ => endpointName == HttpEndpoint.Name).Take(1).ToList().ForEach(callback));
        return builder;
    }

    /// <summary>Adds a link to what is below an endpoint.</summary>
    public static IResourceBuilder<T> WithUrlForEndpoint<T>(
        this IResourceBuilder<T> builder, string endpointName, Func<EndpointReference, ResourceUrlAnnotation> callback)
        where T : IResourceWithEndpoints
    {
        Project(builder).Links.Add(links => links.Add(callback(builder.GetEndpoint(endpointName))));
        return builder;
    }

    /// <summary>Adds a command to the resource's row on the dashboard.</summary>
    public static IResourceBuilder<T> WithCommand<T>(
        this IResourceBuilder<T> builder,
        string name,
        string displayName,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand,
        CommandOptions? commandOptions = null)
        where T : IResource
    {
        var commands = Project(builder).Commands;
        commands.RemoveAll(command => command.Name == name);
        commands.Add(new(name, displayName, commandOptions?.Description, executeCommand));
        return builder;
    }

    /// <summary>Adds a command that is a POST to an endpoint, which may be another resource's.</summary>
    public static IResourceBuilder<TResource> WithHttpCommand<TResource>(
        this IResourceBuilder<TResource> builder,
        string path,
        string displayName,
        Func<EndpointReference>? endpointSelector,
        string? commandName = null,
        HttpCommandOptions? commandOptions = null)
        where TResource : IResourceWithEndpoints
    {
        var endpoint = endpointSelector?.Invoke() ?? builder.GetEndpoint(HttpEndpoint.Name);
        return builder.WithCommand(
            commandName ?? $"{builder.Resource.Name}-http-post-{path}",
            displayName,
            context => HttpCommand.PostAsync(new Uri(new Uri(endpoint.Url), path), commandOptions?.PrepareRequest, context.CancellationToken),
            commandOptions);
    }

    private static ProjectResource Project<T>(IResourceBuilder<T> builder)
        where T : IResource
        => (ProjectResource)(IResource)builder.Resource;
}
