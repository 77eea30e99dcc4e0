using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>
/// <c>POST /rerank</c>, the contract of text-embeddings-inference for models with one label: each text is a pair with the
/// query before it, and its score is the logistic function of the pair's logit, whatever the model's own score function is.
/// </summary>
internal static class RerankEndpoint
{
    /// <summary>The path.</summary>
    public const string Path = "/rerank";

    /// <summary>Maps the endpoint before the service's <see cref="IClassifier"/>.</summary>
    public static void MapRerank(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost(Path, PostAsync).WithMetadata(PredictShape.Rerank).Describe(PredictDescriptions.Rerank);

    private static async Task<IResult> PostAsync(HttpContext context, IClassifier classifier)
    {
        if (!(await JsonBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return PredictEndpoint.Refuse(classifier, refusal);
        if (!RerankRequest.Parse(body).TryGet(out var request, out refusal)) return PredictEndpoint.Refuse(classifier, refusal);
        if (classifier.Model is not { } model) return PredictEndpoint.Refuse(classifier, Refusal.ModelUnknown);
        if (model.Labels.Count != 1) return PredictEndpoint.Refuse(classifier, NoReranker(model));
        // The numbers of a regression are its logits already.
        var isRegression = model.Problem is ProblemType.Regression;
        var needsLogits = request.RawScores && !isRegression;
        var classification = await classifier.ClassifyAsync(request.Inputs, needsLogits, context);
        if (!classification.TryGet(out var classified, out refusal)) return PredictEndpoint.Refuse(classifier, refusal);

        ClassifiedHeaders.Write(context.Response, classified);
        var ranks = classified.Texts.Select((text, i) => new Rank(
            i, request.ReturnText ? request.Inputs[i].Pair : null,
            needsLogits ? text.Logits![0] : isRegression && !request.RawScores ? ScoreFunctions.Logistic(text.Probabilities[0]) : text.Probabilities[0]));
        // A stable sort: of equal scores the text that was sent first is first.
        return TypedResults.Json([.. ranks.OrderByDescending(rank => rank.Score)], PredictJson.Relaxed.RankArray);
    }

    private static Refusal NoReranker(ModelInfo model) => new(StatusCodes.Status424FailedDependency, "Not a re-ranker",
        $"The model {model.ModelId} is not a re-ranker: it has {model.Labels.Count} labels, and a re-ranker has one. Use /predict.");
}
