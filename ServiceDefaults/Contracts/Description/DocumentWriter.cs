using System.Text.Json.Nodes;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>Writes what concerns the OpenAPI document as a whole.</summary>
/// <param name="title">The service's name.</param>
/// <param name="description">What it is for.</param>
/// <param name="keys">Whether the service can be closed by API keys.</param>
internal sealed class DocumentWriter(string title, string description, bool keys) : IOpenApiDocumentTransformer
{
    private static readonly ApiTag Service = new("Service", "The service's own health and measurements.");

    /// <summary>Writes it.</summary>
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = title,
            Version = typeof(DocumentWriter).Assembly.GetName().Version!.ToString(3),
            Description = keys ? $"{description} Where keys are set everything but {HealthEndpoints.ReadyPath} and {HealthEndpoints.LivePath} needs one, this document too." : description,
            License = new() { Name = "MIT", Identifier = "MIT" },
        };
        // Whoever reads the document knows by which address: it is that of the document itself, whatever proxies lie between.
        // Of the request's own, which the library takes, the path remains: the one under which a proxy serves.
        document.Servers = [new() { Url = document.Servers is [{ Url: { } url }] && Uri.TryCreate(url, UriKind.Absolute, out var address) ? address.AbsolutePath : "/" }];
        document.Components ??= new();
        if (keys)
        {
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[OperationWriter.KeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key (RFC 6750), where keys are set. What changes the fleet needs one with the admin scope.",
            };
        }

        var tags = context.DescriptionGroups
            .SelectMany(group => group.Items)
            .SelectMany(item => item.ActionDescriptor.EndpointMetadata.OfType<EndpointDescription>())
            .Select(endpoint => endpoint.Tag)
            .Append(Service)
            .DistinctBy(tag => tag.Name);
        document.Tags = tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.What }).ToHashSet();
        foreach (var schema in document.Components.Schemas?.Values.OfType<OpenApiSchema>() ?? []) LeaveOutNulls(schema);
        AddPlainEndpoints(document, context.ApplicationServices);
        return Task.CompletedTask;
    }

    // What is absent is left out of every answer, and is never null.
    private static void LeaveOutNulls(OpenApiSchema schema)
    {
        if (schema.Enum?.Count > 0)
        {
            schema.Type ??= JsonSchemaType.String;
            schema.Enum = [.. schema.Enum.Where(value => value is not null)];
        }

        foreach (var (name, member) in schema.Properties?.ToList() ?? [])
        {
            if (member is OpenApiSchema { OneOf: [{ Type: JsonSchemaType.Null }, { } value] }) schema.Properties![name] = value;
            else if (member is OpenApiSchema { Type: { } type } plain && type.HasFlag(JsonSchemaType.Null)) plain.Type = type & ~JsonSchemaType.Null;
            else continue;
            schema.Required?.Remove(name);
        }
    }

    // Those that are mapped by libraries are not explored by the generator.
    private void AddPlainEndpoints(OpenApiDocument document, IServiceProvider services)
    {
        Add(HealthEndpoints.ReadyPath, "getHealth", "Whether the service can do its work now", Health("healthy"), Health("unhealthy"));
        Add(HealthEndpoints.LivePath, "getAlive", "Whether the process itself is well", Health("healthy"), Health("unhealthy"));
        Add(TelemetryExtensions.MetricsPath, "getMetrics", "Measurements in the text format of Prometheus", new()
        {
            ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = "lab_queue_depth 0\n" },
        });

        void Add(string path, string id, string summary, Dictionary<string, OpenApiMediaType> good, Dictionary<string, OpenApiMediaType>? bad = null)
        {
            var isAnonymous = !keys || path != TelemetryExtensions.MetricsPath;
            var operation = new OpenApiOperation
            {
                OperationId = id,
                Summary = summary,
                Tags = new HashSet<OpenApiTagReference> { new(Service.Name, document) },
                Security = OperationWriter.Security(isAnonymous, services, document),
                Responses = new() { ["200"] = new OpenApiResponse { Description = "OK", Content = good } },
            };
            if (bad is not null) operation.Responses["503"] = new OpenApiResponse { Description = "Not now", Content = bad };
            foreach (var status in OperationWriter.CommonRefusals(isAnonymous, isGuarded: false))
                operation.Responses[OperationWriter.Key(status)] = OperationWriter.Refused(Refusal.OfStatus(status), ErrorShape.Problem, document);
            document.Paths[path] = new OpenApiPathItem { Operations = new() { [HttpMethod.Get] = operation } };
        }
    }

    private static Dictionary<string, OpenApiMediaType> Health(string status) => new()
    {
        ["application/json"] = new()
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Required = new HashSet<string> { "status", "checks" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["status"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    ["checks"] = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String } },
                },
            },
            Example = new JsonObject { ["status"] = status, ["checks"] = new JsonObject { ["self"] = status } },
        },
    };
}
