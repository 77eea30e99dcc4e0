using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Lab.AppHost.LocalHost;

/// <summary>A project with the assembly that this build made of it; the build writes one for each referenced project.</summary>
internal interface IBuiltProject : IProjectMetadata
{
    string TargetPath { get; }
}

/// <summary>An HTTP endpoint on this machine.</summary>
/// <param name="port">The wished port, or null for a free one.</param>
internal sealed class HttpEndpoint(int? port)
{
    public const string Name = "http";

    public int? WishedPort => port;

    public int Port { get; set; }

    public bool IsExternal { get; set; }

    public string Url => $"http://localhost:{Port}";
}

internal sealed class LocalBuilder(string[] args) : IDistributedApplicationBuilder
{
    // Only for its configuration and environment, so that they follow the same rules as under Aspire.
    private readonly HostApplicationBuilder _host = Host.CreateApplicationBuilder(args);

    public ConfigurationManager Configuration => _host.Configuration;

    public IHostEnvironment Environment => _host.Environment;

    public List<ProjectResource> Resources { get; } = [];

    public DistributedApplication Build() => new(this);

    public IResourceBuilder<ProjectResource> Add(ProjectResource resource)
    {
        if (Resources.Any(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
            throw new InvalidOperationException($"There are two resources of the name {resource.Name}.");
        Resources.Add(resource);
        return new Builder(resource);
    }

    private sealed record Builder(ProjectResource Resource) : IResourceBuilder<ProjectResource>;
}
