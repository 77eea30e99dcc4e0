using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary><c>POST /predict</c>, <c>POST /rerank</c> and <c>GET /info</c>, the contract of text-embeddings-inference.</summary>
public static class PredictEndpoint
{
    /// <summary>The path.</summary>
    public const string Path = "/predict";

    /// <summary>Where the model describes itself.</summary>
    public const string InfoPath = "/info";

    /// <summary>Maps the endpoints before the service's <see cref="IClassifier"/>.</summary>
    public static void MapPredict(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost(Path, PostAsync).WithMetadata(PredictShape.Instance).Describe(PredictDescriptions.Predict);
        endpoints.MapRerank();
        endpoints.MapGet(InfoPath, IResult (IClassifier classifier) => classifier.Model is { } model
            ? TypedResults.Json(model, WireJson.Relaxed.ModelInfo)
            : Refusal.ModelUnknown.ToResult()).Describe(PredictDescriptions.Info);
    }

    private static async Task<IResult> PostAsync(HttpContext context, IClassifier classifier)
    {
        if (!(await JsonBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return Refuse(classifier, refusal);
        if (!PredictRequest.Parse(body).TryGet(out var request, out refusal)) return Refuse(classifier, refusal);
        if (classifier.Model is not { } model) return Refuse(classifier, Refusal.ModelUnknown);
        var classification = await classifier.ClassifyAsync(request.Inputs, request.RawScores, context);
        if (!classification.TryGet(out var classified, out refusal)) return Refuse(classifier, refusal);

        ClassifiedHeaders.Write(context.Response, classified);
        var labels = model.Labels;
        var scores = classified.Texts.Select(text => Scores(request.RawScores ? text.Logits! : text.Probabilities, labels)).ToArray();
        return request.IsBatch
            ? TypedResults.Json(scores, PredictJson.Relaxed.PredictScoreArrayArray)
            : TypedResults.Json(scores[0], PredictJson.Relaxed.PredictScoreArray);
    }

    /// <summary>Refuses and counts it.</summary>
    internal static RefusalResult Refuse(IClassifier classifier, Refusal refusal)
    {
        classifier.Refused(refusal.Status);
        return refusal.ToResult();
    }

    private static PredictScore[] Scores(IReadOnlyList<float> scores, IReadOnlyList<string> labels) =>
        [.. scores.Zip(labels, (score, label) => new PredictScore(score, label)).OrderByDescending(score => score.Score)];
}
