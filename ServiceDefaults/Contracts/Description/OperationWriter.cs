using System.Globalization;
using System.Text.Json.Nodes;
using Lab.ServiceDefaults.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>Writes what is known of an endpoint into its operation of the OpenAPI document.</summary>
internal sealed class OperationWriter(bool keys) : IOpenApiOperationTransformer
{
    public const string KeyScheme = "key";
    private const string Json = "application/json";

    /// <summary>Writes what is known.</summary>
    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var isAnonymous = !keys || metadata.OfType<IAllowAnonymous>().Any();
        var isAdmin = metadata.OfType<IAuthorizeData>().Any(data => data.Policy is not null);
        var isRead = context.Description.HttpMethod is "GET" or "HEAD";
        var refusals = CommonRefusals(isAnonymous, isAdmin || !isRead);
        operation.Security = Security(isAnonymous, context.ApplicationServices, context.Document!);
        if (metadata.OfType<EndpointDescription>().LastOrDefault() is { } description)
        {
            refusals.UnionWith(description.Refusals);
            if (description.Bodies.Count > 0) refusals.Add(StatusCodes.Status408RequestTimeout);
            // Where one endpoint takes both, each is an operation.
            operation.OperationId = context.Description.HttpMethod is "HEAD" ? $"{description.Id}Head" : description.Id;
            operation.Tags = new HashSet<OpenApiTagReference> { new(description.Tag.Name, context.Document) };
            operation.Summary = description.Summary;
            operation.Description = description.Details;
            operation.RequestBody = Body(description, context.Document!);
            operation.Parameters = [.. PathParameters(operation, context), .. operation.Parameters ?? [], .. description.Parameters.Select(Parameter)];
            var generated = operation.Responses;
            operation.Responses = [];
            foreach (var answer in description.Answers) operation.Responses[Key(answer.Status)] = Answer(answer, generated, context.Document!);
        }

        operation.Responses ??= [];
        var shape = metadata.OfType<ErrorShape>().LastOrDefault() ?? ErrorShape.Problem;
        foreach (var status in refusals) operation.Responses.TryAdd(
            Key(status), Refused(status is StatusCodes.Status403Forbidden && !isAdmin ? Refusal.ForeignPage : Refusal.OfStatus(status), shape, context.Document!));
        return Task.CompletedTask;
    }

    /// <summary>The statuses with which every endpoint refuses: another site's page, those of access, and the unexpected.</summary>
    /// <param name="isAnonymous">Whether it needs no key.</param>
    /// <param name="isGuarded">Whether it changes something, or needs the admin scope.</param>
    internal static SortedSet<int> CommonRefusals(bool isAnonymous, bool isGuarded)
    {
        SortedSet<int> refusals = [StatusCodes.Status421MisdirectedRequest, StatusCodes.Status500InternalServerError];
        if (isGuarded) refusals.Add(StatusCodes.Status403Forbidden);
        if (!isAnonymous) refusals.UnionWith([StatusCodes.Status401Unauthorized, StatusCodes.Status429TooManyRequests]);
        return refusals;
    }

    /// <summary>What a caller must show now: nothing, a key, or where no keys are set one or nothing.</summary>
    internal static List<OpenApiSecurityRequirement> Security(bool isAnonymous, IServiceProvider services, OpenApiDocument document)
    {
        if (isAnonymous) return [];
        OpenApiSecurityRequirement key = new() { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] };
        return services.GetService<KeyRing>() is { IsOpen: true } ? [key, []] : [key];
    }

    /// <summary>A refusal in a form.</summary>
    internal static OpenApiResponse Refused(Refusal refusal, ErrorShape shape, OpenApiDocument document) => new()
    {
        Description = refusal.Title,
        Headers = Headers(refusal.Status switch
        {
            StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status507InsufficientStorage =>
                [("Retry-After", "Seconds until trying again makes sense.", JsonSchemaType.Integer)],
            StatusCodes.Status401Unauthorized => [("WWW-Authenticate", "Bearer", JsonSchemaType.String)],
            _ => [],
        }),
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [shape.MediaType] = new() { Schema = new OpenApiSchemaReference(shape.BodyType.Name, document), Example = shape.Example(refusal) },
        },
    };

    /// <summary>A status as the key of a response.</summary>
    internal static string Key(int status) => status.ToString(CultureInfo.InvariantCulture);

    private static OpenApiRequestBody? Body(EndpointDescription description, OpenApiDocument document) => description.Bodies.Count == 0 ? null : new()
    {
        Required = description.NeedsBody,
        Content = description.Bodies.ToDictionary(
            body => body.MediaType,
            body => body.MediaType is Json
                ? new OpenApiMediaType { Schema = Component(description.BodySchema, document), Example = JsonNode.Parse(body.Example) }
                : new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = body.Example }),
    };

    private static OpenApiSchemaReference? Component(BodySchema? schema, OpenApiDocument document)
    {
        if (schema is null) return null;
        document.AddComponent(schema.Name, schema.Create());
        return new(schema.Name, document);
    }

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

    private static OpenApiResponse Answer(AnswerDescription answer, OpenApiResponses? generated, OpenApiDocument document)
    {
        var response = new OpenApiResponse { Description = answer.What, Headers = Headers(answer.Headers ?? []) };
        if (answer.Example is null) return response;
        response.Content = new Dictionary<string, OpenApiMediaType>
        {
            [answer.MediaType] = new()
            {
                Schema = answer.Schema?.Invoke(document) ?? generated?[Key(answer.Status)].Content?[answer.MediaType].Schema,
                Example = answer.MediaType is Json ? JsonNode.Parse(answer.Example) : answer.Example,
            },
        };
        return response;
    }

    private static Dictionary<string, IOpenApiHeader> Headers(IReadOnlyList<(string Name, string What, JsonSchemaType Type)> headers) => headers.ToDictionary(
        header => header.Name,
        IOpenApiHeader (header) => new OpenApiHeader { Description = header.What, Schema = new OpenApiSchema { Type = header.Type } });
}
