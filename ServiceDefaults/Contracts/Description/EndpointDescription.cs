using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>Metadata of an endpoint: what the OpenAPI document says of it.</summary>
/// <param name="Summary">What it does, in a line.</param>
public sealed record EndpointDescription(string Summary)
{
    /// <summary>More about it.</summary>
    public string? Details { get; init; }

    /// <summary>Bodies that it takes: media type and example.</summary>
    public IReadOnlyList<(string MediaType, string Example)> Bodies { get; init; } = [];

    /// <summary>Whether there must be a body.</summary>
    public bool NeedsBody { get; init; } = true;

    /// <summary>The form of a JSON body.</summary>
    public Func<OpenApiSchema>? BodySchema { get; init; }

    /// <summary>Query parameters and headers that it looks at, all of them optional.</summary>
    public IReadOnlyList<(string Name, ParameterLocation In, string What)> Parameters { get; init; } = [];

    /// <summary>Its good answers.</summary>
    public IReadOnlyList<AnswerDescription> Answers { get; init; } = [];

    /// <summary>The statuses with which it refuses, apart from those of access.</summary>
    public IReadOnlyList<int> Refusals { get; init; } = [];
}

/// <summary>A good answer of an endpoint.</summary>
/// <param name="Status">Its HTTP status.</param>
/// <param name="What">What it tells.</param>
/// <param name="Type">The type of its body.</param>
/// <param name="Example">A body.</param>
/// <param name="MediaType">The body's media type.</param>
/// <param name="Headers">Headers that it carries, with what each tells.</param>
public sealed record AnswerDescription(
    int Status,
    string What,
    Type? Type = null,
    string? Example = null,
    string MediaType = "application/json",
    IReadOnlyList<(string Name, string What)>? Headers = null);

/// <summary>Gives endpoints their <see cref="EndpointDescription"/>.</summary>
public static class EndpointDescriptionExtensions
{
    /// <summary>Says of an endpoint what the OpenAPI document tells.</summary>
    public static TBuilder Describe<TBuilder>(this TBuilder endpoint, EndpointDescription description)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(description));
        return endpoint;
    }
}
