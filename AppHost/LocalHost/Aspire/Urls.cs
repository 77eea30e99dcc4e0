using Lab.AppHost.LocalHost;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint whose address is known once the application runs.</summary>
public sealed class EndpointReference
{
    private readonly HttpEndpoint _endpoint;

    internal EndpointReference(HttpEndpoint endpoint) => _endpoint = endpoint;

    /// <summary>The address, such as <c>http://localhost:8080</c>.</summary>
    /// <exception cref="InvalidOperationException">The application does not run yet.</exception>
    public string Url => _endpoint.Port > 0 ? _endpoint.Url : throw new InvalidOperationException("The endpoint has no address before the application runs.");
}

/// <summary>A link that the dashboard shows beside a resource.</summary>
public sealed class ResourceUrlAnnotation
{
    /// <summary>Where it leads; relative to the endpoint's address, or absolute.</summary>
    public required string Url { get; set; }

    /// <summary>Its text; null shows the address.</summary>
    public string? DisplayText { get; set; }
}
