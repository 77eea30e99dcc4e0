using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lab.ServiceDefaults.Contracts.InferenceApi;

/// <summary>
/// <c>POST /</c>, Hugging Face's inference API for text classification: what its clients call when they are given an endpoint's
/// address (<c>endpointUrl</c> of npm's <c>@huggingface/inference</c>, <c>model</c> of huggingface_hub's <c>InferenceClient</c>).
/// </summary>
public static class InferenceApiEndpoint
{
    /// <summary>The path.</summary>
    public const string Path = "/";

    // A page at the same path takes posts too, of forms that it does not have.
    private const int BeforePages = -1;

    /// <summary>Maps the endpoint before the service's <see cref="IClassifier"/>.</summary>
    public static void MapInferenceApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost(Path, PostAsync).WithOrder(BeforePages).WithMetadata(InferenceApiShape.Instance).Describe(InferenceApiDescriptions.Classify);

    private static async Task<IResult> PostAsync(HttpContext context, IClassifier classifier)
    {
        if (!(await JsonBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return Refuse(classifier, refusal);
        if (!InferenceApiRequest.Parse(body).TryGet(out var request, out refusal)) return Refuse(classifier, refusal);
        if (classifier.Model is not { } model) return Refuse(classifier, Refusal.ModelUnknown);
        var labels = model.Labels;
        // The model's own function needs no logits, which travel in a longer form.
        var function = request.Function == ScoreFunctions.Of(model.Problem, labels.Count) ? null : request.Function;
        var classification = await classifier.ClassifyAsync(request.Inputs, rawScores: function is not null, context);
        if (!classification.TryGet(out var classified, out refusal)) return Refuse(classifier, refusal);

        ClassifiedHeaders.Write(context.Response, classified);
        return TypedResults.Json(
            classified.Texts.Select(text => Best(function?.Apply(text.Logits!) ?? text.Probabilities, labels, request.TopK)).ToArray(),
            InferenceApiJson.Relaxed.LabelScoreArrayArray);
    }

    private static LabelScore[] Best(IReadOnlyList<float> scores, IReadOnlyList<string> labels, int? topK) =>
        [.. scores.Zip(labels, (score, label) => new LabelScore(label, score)).OrderByDescending(score => score.Score).Take(topK ?? int.MaxValue)];

    private static RefusalResult Refuse(IClassifier classifier, Refusal refusal)
    {
        classifier.Refused(refusal.Status);
        return refusal.ToResult();
    }
}
