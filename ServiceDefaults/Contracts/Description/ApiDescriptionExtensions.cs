using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Scalar.AspNetCore;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>
/// The OpenAPI document <c>/openapi/v1.json</c> and the page <c>/scalar</c> that shows it, in every environment. Where
/// keys are set both need one, like everything but the health endpoints.
/// </summary>
public static class ApiDescriptionExtensions
{
    /// <summary>Registers the document.</summary>
    /// <param name="services">The service's services.</param>
    /// <param name="title">The service's name.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="keys">Whether the service can be closed by API keys.</param>
    public static void AddApiDescription(this IServiceCollection services, string title, string description, bool keys) =>
        services.AddOpenApi(options =>
        {
            options.AddOperationTransformer(new OperationWriter(keys));
            options.AddDocumentTransformer(new DocumentWriter(title, description, keys));
        });

    /// <summary>Maps the document and the page.</summary>
    /// <returns>Both, for further conventions.</returns>
    public static IEndpointConventionBuilder MapApiDescription(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("");
        group.MapOpenApi();
        // Everything the page needs comes from the service itself: no fonts, no telemetry, no assistant from elsewhere.
        group.MapScalarApiReference("/scalar", page => page
            .WithTitle("Lab")
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp());
        // The page's script is several megabytes, and the library gives it to everybody.
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToList()) endpoint.Metadata.Remove(open);
        });
        return group;
    }
}
