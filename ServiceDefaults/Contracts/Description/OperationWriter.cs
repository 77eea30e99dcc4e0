using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>Writes what is known of an endpoint into its operation of the OpenAPI document.</summary>
internal sealed class OperationWriter(bool keys) : IOpenApiOperationTransformer
{
    public const string KeyScheme = "key";
    private const string Json = "application/json";

    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var isAnonymous = !keys || metadata.OfType<IAllowAnonymous>().Any();
        var isAdmin = metadata.OfType<IAuthorizeData>().Any(data => data.Policy is not null);
        var refusals = new SortedSet<int>();
        if (!isAnonymous)
        {
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(KeyScheme, context.Document)] = [] }];
            refusals.UnionWith([StatusCodes.Status401Unauthorized, StatusCodes.Status429TooManyRequests]);
            if (isAdmin) refusals.Add(StatusCodes.Status403Forbidden);
        }

        if (metadata.OfType<EndpointDescription>().LastOrDefault() is { } description)
        {
            refusals.UnionWith(description.Refusals);
            operation.Summary = description.Summary;
            operation.Description = description.Details;
            operation.RequestBody = Body(description);
            operation.Parameters = [.. PathParameters(operation, context), .. operation.Parameters ?? [], .. description.Parameters.Select(Parameter)];
            operation.Responses = [];
            foreach (var answer in description.Answers) operation.Responses[Key(answer.Status)] = await AnswerAsync(answer, context, cancellationToken);
        }

        operation.Responses ??= [];
        var shape = metadata.OfType<ErrorShape>().LastOrDefault() ?? ErrorShape.Problem;
        foreach (var status in refusals) operation.Responses.TryAdd(Key(status), await RefusalAsync(status, shape, context, cancellationToken));
    }

    private static string Key(int status) => status.ToString(CultureInfo.InvariantCulture);

    private static OpenApiRequestBody? Body(EndpointDescription description) => description.Bodies.Count == 0 ? null : new()
    {
        Required = description.NeedsBody,
        Content = description.Bodies.ToDictionary(
            body => body.MediaType,
            body => body.MediaType is Json
                ? new OpenApiMediaType { Schema = description.BodySchema?.Invoke(), Example = JsonNode.Parse(body.Example) }
                : new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = body.Example }),
    };

    // Parts of the path that a handler reads from the route's values are no arguments of it.
    private static IEnumerable<OpenApiParameter> PathParameters(OpenApiOperation operation, OpenApiOperationTransformerContext context) =>
        RoutePatternFactory.Parse(context.Description.RelativePath ?? "").Parameters
            .Where(part => operation.Parameters?.Any(known => known.Name == part.Name) != true)
            .Select(part => new OpenApiParameter { Name = part.Name, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });

    private static OpenApiParameter Parameter((string Name, ParameterLocation In, string What) parameter) => new()
    {
        Name = parameter.Name,
        In = parameter.In,
        Description = parameter.What,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static async Task<OpenApiResponse> AnswerAsync(AnswerDescription answer, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var response = new OpenApiResponse { Description = answer.What, Headers = Headers(answer.Headers ?? []) };
        if (answer.Example is null) return response;
        response.Content = new Dictionary<string, OpenApiMediaType>
        {
            [answer.MediaType] = new()
            {
                Schema = answer.Type is { } type
                    ? await context.GetOrCreateSchemaAsync(type, cancellationToken: cancellationToken)
                    : new OpenApiSchema { Type = JsonSchemaType.String },
                Example = answer.MediaType is Json ? JsonNode.Parse(answer.Example) : answer.Example,
            },
        };
        return response;
    }

    private static async Task<OpenApiResponse> RefusalAsync(int status, ErrorShape shape, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var refusal = Refusal.OfStatus(status);
        return new()
        {
            Description = refusal.Title,
            Headers = Headers(status switch
            {
                StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status507InsufficientStorage => [("Retry-After", "Seconds until trying again makes sense.")],
                StatusCodes.Status401Unauthorized => [("WWW-Authenticate", "Bearer")],
                _ => [],
            }),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [shape.MediaType] = new()
                {
                    Schema = await context.GetOrCreateSchemaAsync(shape.BodyType, cancellationToken: cancellationToken),
                    Example = shape.Example(refusal),
                },
            },
        };
    }

    private static Dictionary<string, IOpenApiHeader> Headers(IReadOnlyList<(string Name, string What)> headers) => headers.ToDictionary(
        header => header.Name,
        IOpenApiHeader (header) => new OpenApiHeader { Description = header.What, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
}
