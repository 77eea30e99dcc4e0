using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// The form in which a client is told of an error. Metadata of an endpoint, so that also those errors come in the
/// endpoint's own form which somebody else decides on: no key, too many requests, an exception.
/// </summary>
public abstract class ErrorShape
{
    /// <summary><c>application/problem+json</c> (RFC 9457), the form of every endpoint that names no other.</summary>
    public static ErrorShape Problem { get; } = new ProblemShape();

    /// <summary>The media type of the bodies.</summary>
    public abstract string MediaType { get; }

    /// <summary>The type that stands for the bodies, for their schema.</summary>
    public abstract Type BodyType { get; }

    /// <summary>
    /// The path under which every error has this form, also where no endpoint answers; <c>null</c> if only endpoints say
    /// so. Heeded of the shapes that are registered as services.
    /// </summary>
    public virtual string? Path => null;

    /// <summary>The form for a request: its endpoint's, or where it found none that of its path.</summary>
    public static ErrorShape Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        if (endpoint?.Metadata.GetMetadata<ErrorShape>() is { } shape) return shape;
        // Nobody answers there, or not this method: the router's own endpoints carry no metadata of ours.
        var path = context.Request.Path;
        return context.RequestServices.GetServices<ErrorShape>()
            .FirstOrDefault(shape => shape.Path is { } root && path.StartsWithSegments(root, StringComparison.OrdinalIgnoreCase)) ?? Problem;
    }

    /// <summary>Writes a response that has a status and no body yet.</summary>
    public static Task WriteStatusAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Of(context).WriteAsync(context, Refusal.OfStatus(context.Response.StatusCode));
    }

    /// <summary>Writes the whole response.</summary>
    public Task WriteAsync(HttpContext context, Refusal refusal)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(refusal);
        context.Response.StatusCode = refusal.Status;
        if (refusal.RetryAfter is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return WriteBodyAsync(context, refusal);
    }

    /// <summary>The body for a refusal, as the OpenAPI document shows it.</summary>
    public abstract JsonObject Example(Refusal refusal);

    /// <summary>Writes the body.</summary>
    protected abstract Task WriteBodyAsync(HttpContext context, Refusal refusal);

    private sealed class ProblemShape : ErrorShape
    {
        public override string MediaType => "application/problem+json";

        public override Type BodyType => typeof(ProblemDetails);

        public override JsonObject Example(Refusal refusal) =>
            new() { ["title"] = refusal.Title, ["status"] = refusal.Status, ["detail"] = refusal.Detail };

        protected override Task WriteBodyAsync(HttpContext context, Refusal refusal) =>
            context.RequestServices.GetService<IProblemDetailsService>() is null
                ? Task.CompletedTask
                : TypedResults.Problem(refusal.Detail, statusCode: refusal.Status, title: refusal.Title).ExecuteAsync(context);
    }
}

/// <summary>A refusal as a result of an endpoint, in the form of that endpoint.</summary>
public sealed class RefusalResult(Refusal refusal) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext) => ErrorShape.Of(httpContext).WriteAsync(httpContext, refusal);
}
