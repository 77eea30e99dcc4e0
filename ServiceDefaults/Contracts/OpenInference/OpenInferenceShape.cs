using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>Errors in the form of the Open Inference Protocol.</summary>
internal sealed class OpenInferenceShape : ErrorShape
{
    private OpenInferenceShape()
    {
    }

    public static OpenInferenceShape Instance { get; } = new();

    public override string MediaType => "application/json";

    public override Type BodyType => typeof(InferError);

    public override string Path => OpenInferenceEndpoints.Root;

    public override JsonObject Example(Refusal refusal) => new() { ["error"] = refusal.Detail };

    protected override Task WriteBodyAsync(HttpContext context, Refusal refusal) =>
        context.Response.WriteAsJsonAsync(new InferError(refusal.Detail), OpenInferenceJson.Relaxed.InferError, cancellationToken: context.RequestAborted);
}
