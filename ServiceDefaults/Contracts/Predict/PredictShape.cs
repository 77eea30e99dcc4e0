using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>Errors in the form of text-embeddings-inference.</summary>
internal sealed class PredictShape : ErrorShape
{
    private PredictShape(string path) => Path = path;

    public static PredictShape Instance { get; } = new(PredictEndpoint.Path);

    public static PredictShape Rerank { get; } = new(RerankEndpoint.Path);

    public override string MediaType => "application/json";

    public override Type BodyType => typeof(PredictError);

    public override string Path { get; }

    public override JsonObject Example(Refusal refusal)
    {
        var error = PredictError.Of(refusal);
        return new() { ["error"] = error.Error, ["error_type"] = error.ErrorType };
    }

    protected override Task WriteBodyAsync(HttpContext context, Refusal refusal) =>
        context.Response.WriteAsJsonAsync(PredictError.Of(refusal), PredictJson.Relaxed.PredictError, cancellationToken: context.RequestAborted);
}
