using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>Metadata of an endpoint: what the OpenAPI document says of it.</summary>
/// <param name="Summary">What it does, in a line.</param>
public sealed record EndpointDescription(string Summary)
{
    /// <summary>Its name in the document, by which generated clients call their method; no other endpoint has it.</summary>
    public required string Id { get; init; }

    /// <summary>What it belongs to.</summary>
    public required ApiTag Tag { get; init; }

    /// <summary>More about it.</summary>
    public string? Details { get; init; }

    /// <summary>Bodies that it takes: media type and example.</summary>
    public IReadOnlyList<(string MediaType, string Example)> Bodies { get; init; } = [];

    /// <summary>Whether there must be a body.</summary>
    public bool NeedsBody { get; init; } = true;

    /// <summary>The form of a JSON body.</summary>
    public BodySchema? BodySchema { get; init; }

    /// <summary>Query parameters and headers that it looks at, all of them optional.</summary>
    public IReadOnlyList<(string Name, ParameterLocation In, string What)> Parameters { get; init; } = [];

    /// <summary>Its good answers.</summary>
    public IReadOnlyList<AnswerDescription> Answers { get; init; } = [];

    /// <summary>The statuses with which it refuses, apart from those that every endpoint has.</summary>
    public IReadOnlyList<int> Refusals { get; init; } = [];
}

/// <summary>Endpoints that belong together.</summary>
/// <param name="Name">The tag's name.</param>
/// <param name="What">What they are for, in a line.</param>
public sealed record ApiTag(string Name, string What);

/// <summary>A good answer of an endpoint.</summary>
/// <param name="Status">Its HTTP status.</param>
/// <param name="What">What it tells.</param>
/// <param name="Type">The type of its body.</param>
/// <param name="Example">A body.</param>
/// <param name="MediaType">The body's media type.</param>
/// <param name="Headers">Headers that it carries, with what each tells and of which type it is.</param>
/// <param name="Schema">The form of the body, where <paramref name="Type"/> alone does not tell it.</param>
public sealed record AnswerDescription(
    int Status,
    string What,
    Type? Type = null,
    string? Example = null,
    string MediaType = "application/json",
    IReadOnlyList<(string Name, string What, JsonSchemaType Type)>? Headers = null,
    Func<OpenApiDocument, IOpenApiSchema>? Schema = null);

/// <summary>Gives endpoints their <see cref="EndpointDescription"/>.</summary>
public static class EndpointDescriptionExtensions
{
    /// <summary>Says of an endpoint what the OpenAPI document tells.</summary>
    public static TBuilder Describe<TBuilder>(this TBuilder endpoint, EndpointDescription description)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(description));
        // The generator makes a component of each type that it is told of, and nothing else gives it a name in generated clients.
        endpoint.Finally(builder =>
        {
            var shape = builder.Metadata.OfType<ErrorShape>().LastOrDefault() ?? ErrorShape.Problem;
            foreach (var answer in description.Answers.Where(answer => answer.Type is not null))
                builder.Metadata.Add(new ProducesResponseTypeMetadata(answer.Status, answer.Type, [answer.MediaType]));
            builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status500InternalServerError, shape.BodyType, [shape.MediaType]));
        });
        return endpoint;
    }
}
