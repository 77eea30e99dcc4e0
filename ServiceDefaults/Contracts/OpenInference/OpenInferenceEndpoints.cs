using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>The Open Inference Protocol v2 over REST (kserve/open-inference-protocol, inference_rest.md).</summary>
public static class OpenInferenceEndpoints
{
    /// <summary>The path under which all of it lies.</summary>
    public const string Root = "/v2";

    /// <summary>The one version that a model has here.</summary>
    public const string Version = "1";

    private const string Platform = "onnx_onnxv1";

    /// <summary>Maps the endpoints before the service's <see cref="IClassifier"/>.</summary>
    /// <param name="endpoints">The service's endpoints.</param>
    /// <param name="serverName">The name that <c>GET /v2</c> tells.</param>
    public static void MapOpenInference(this IEndpointRouteBuilder endpoints, string serverName)
    {
        var server = new ServerMetadata(serverName, typeof(OpenInferenceEndpoints).Assembly.GetName().Version!.ToString(3), []);
        var root = endpoints.MapGroup(Root).WithMetadata(OpenInferenceShape.Instance);
        root.MapGet("", () => TypedResults.Json(server, OpenInferenceJson.Relaxed.ServerMetadata)).Describe(OpenInferenceDescriptions.Server);
        root.MapGet("/health/live", () => TypedResults.Json(new ServerHealth(Live: true), OpenInferenceJson.Relaxed.ServerHealth))
            .Describe(OpenInferenceDescriptions.Live);
        root.MapGet("/health/ready", ReadyAsync).Describe(OpenInferenceDescriptions.Ready);
        foreach (var (path, suffix) in ((string, string)[])[("/models/{model}", ""), ("/models/{model}/versions/{version}", "Version")])
        {
            root.MapGet(path, GetModel).Describe(OpenInferenceDescriptions.Model.WithSuffix(suffix));
            root.MapGet($"{path}/ready", ModelReadyAsync).Describe(OpenInferenceDescriptions.ModelReady.WithSuffix(suffix));
            root.MapPost($"{path}/infer", InferAsync).Describe(OpenInferenceDescriptions.Infer.WithSuffix(suffix));
        }
    }

    private static IResult GetModel(HttpContext context, IClassifier classifier) =>
        Find(context, classifier).TryGet(out var model, out var refusal)
            ? TypedResults.Json(Metadata(model), OpenInferenceJson.Relaxed.ModelMetadata)
            : Refuse(classifier, refusal);

    private static async Task<IResult> ReadyAsync(HttpContext context, IClassifier classifier)
    {
        var ready = classifier.Model is not null && await classifier.IsReadyAsync(context.RequestAborted);
        return TypedResults.Json(new ServerHealth(ready, ready), OpenInferenceJson.Relaxed.ServerHealth, statusCode: Status(ready));
    }

    private static async Task<IResult> ModelReadyAsync(HttpContext context, IClassifier classifier)
    {
        if (!Find(context, classifier).TryGet(out var model, out var refusal)) return Refuse(classifier, refusal);
        var ready = await classifier.IsReadyAsync(context.RequestAborted);
        return TypedResults.Json(new ModelReady(model.ModelId, ready), OpenInferenceJson.Relaxed.ModelReady, statusCode: Status(ready));
    }

    private static async Task<IResult> InferAsync(HttpContext context, IClassifier classifier)
    {
        if (!Find(context, classifier).TryGet(out var model, out var refusal)) return Refuse(classifier, refusal);
        if (!(await JsonBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out refusal)) return Refuse(classifier, refusal);
        if (!InferRequest.Parse(body).TryGet(out var request, out refusal)) return Refuse(classifier, refusal);
        var inputs = request.Texts.Select(text => new TextInput(text)).ToList();
        if (!(await classifier.ClassifyAsync(inputs, rawScores: false, context)).TryGet(out var classified, out refusal)) return Refuse(classifier, refusal);
        var parameters = new InferParameters(
            classified.Worker, classified.QueueMs, classified.Attempts, classified.InferenceMs, classified.Texts.Any(text => text.Truncated));
        return TypedResults.Json(
            new InferAnswer(model.ModelId, Version, request.Id, parameters, [.. request.Outputs.Select(name => Output(name, classified.Texts))]),
            OpenInferenceJson.Relaxed.InferAnswer);
    }

    private static InferOutput Output(string name, IReadOnlyList<ClassifiedText> texts) => name is InferRequest.Label
        ? new(name, InferRequest.TextDatatype, [texts.Count], texts.Select(text => text.Label).ToArray())
        : new(name, InferRequest.NumberDatatype, [texts.Count, texts[0].Probabilities.Count], texts.SelectMany(text => text.Probabilities).ToArray());

    private static ModelMetadata Metadata(ModelInfo model) => new(model.ModelId, [Version], Platform,
        [new(InferRequest.Input, InferRequest.TextDatatype, [-1])],
        [new(InferRequest.Probabilities, InferRequest.NumberDatatype, [-1, model.Labels.Count]), new(InferRequest.Label, InferRequest.TextDatatype, [-1])]);

    private static Result<ModelInfo> Find(HttpContext context, IClassifier classifier)
    {
        if (classifier.Model is not { } model) return Refusal.ModelUnknown;
        // A slash in a name stays escaped in the path's parts.
        var name = ((string)context.GetRouteValue("model")!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (name != model.ModelId) return Refusal.NotFound($"There is no model \"{name}\"; there is \"{model.ModelId}\".");
        return context.GetRouteValue("version") is string version and not Version
            ? Refusal.NotFound($"There is no version \"{version}\" of \"{name}\"; there is \"{Version}\".")
            : model;
    }

    private static EndpointDescription WithSuffix(this EndpointDescription description, string suffix) => description with { Id = description.Id + suffix };

    private static RefusalResult Refuse(IClassifier classifier, Refusal refusal)
    {
        classifier.Refused(refusal.Status);
        return refusal.ToResult();
    }

    private static int Status(bool ready) => ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
}
