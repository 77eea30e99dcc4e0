using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
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
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new()
                {
                    Title = title,
                    Version = typeof(ApiDescriptionExtensions).Assembly.GetName().Version!.ToString(3),
                    Description = keys ? $"{description} Where keys are set everything but {HealthEndpoints.ReadyPath} and {HealthEndpoints.LivePath} needs one, this document too." : description,
                };
                // Whoever reads the document knows by which address.
                document.Servers = [];
                AddPlainEndpoints(document, keys);
                return Task.CompletedTask;
            });
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

    // Those that are mapped by libraries are not explored by the generator.
    private static void AddPlainEndpoints(OpenApiDocument document, bool keys)
    {
        if (keys)
        {
            document.Components ??= new();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[OperationWriter.KeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key (RFC 6750), where keys are set. What changes the fleet needs one with the admin scope.",
            };
        }

        Add(HealthEndpoints.ReadyPath, "Whether the service can do its work now", "application/json", unhealthy: true, open: true);
        Add(HealthEndpoints.LivePath, "Whether the process itself is well", "application/json", unhealthy: true, open: true);
        Add(TelemetryExtensions.MetricsPath, "Measurements in the text format of Prometheus", "text/plain", unhealthy: false, open: !keys);

        void Add(string path, string summary, string mediaType, bool unhealthy, bool open)
        {
            var operation = new OpenApiOperation { Summary = summary, Responses = [] };
            operation.Responses["200"] = Response("OK");
            if (unhealthy) operation.Responses["503"] = Response("Not now");
            if (!open)
            {
                operation.Responses["401"] = new OpenApiResponse { Description = "Unauthorized" };
                operation.Security = [new() { [new OpenApiSecuritySchemeReference(OperationWriter.KeyScheme, document)] = [] }];
            }

            document.Paths[path] = new OpenApiPathItem { Operations = new() { [HttpMethod.Get] = operation } };

            OpenApiResponse Response(string description) => new()
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [mediaType] = new() { Schema = new OpenApiSchema { Type = mediaType is "text/plain" ? JsonSchemaType.String : JsonSchemaType.Object } },
                },
            };
        }
    }
}
