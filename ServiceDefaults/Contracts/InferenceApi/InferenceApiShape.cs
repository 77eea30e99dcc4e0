using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Contracts.InferenceApi;

/// <summary>Errors in the form of Hugging Face's inference API. Its path is shared with a page: only the endpoint says so.</summary>
internal sealed class InferenceApiShape : ErrorShape
{
    private InferenceApiShape()
    {
    }

    public static InferenceApiShape Instance { get; } = new();

    public override string MediaType => "application/json";

    public override Type BodyType => typeof(InferenceApiError);

    public override JsonObject Example(Refusal refusal) => new() { ["error"] = refusal.Detail };

    protected override Task WriteBodyAsync(HttpContext context, Refusal refusal) =>
        context.Response.WriteAsJsonAsync(new InferenceApiError(refusal.Detail), InferenceApiJson.Relaxed.InferenceApiError, cancellationToken: context.RequestAborted);
}
