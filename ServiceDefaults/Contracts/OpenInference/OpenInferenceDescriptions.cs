using Lab.ServiceDefaults.Contracts.Description;

namespace Lab.ServiceDefaults.Contracts.OpenInference;

/// <summary>What the OpenAPI document says of the Open Inference Protocol.</summary>
internal static class OpenInferenceDescriptions
{
    private static readonly ApiTag Tag = new("Open Inference Protocol", "The Open Inference Protocol v2 over REST.");

    public static EndpointDescription Server { get; } = new("The server's name and version (Open Inference Protocol v2)")
    {
        Id = "getServer",
        Tag = Tag,
        Answers = [new(200, "The server", typeof(ServerMetadata), """{"name":"lab-orchestrator","version":"1.0.0","extensions":[]}""")],
    };

    public static EndpointDescription Live { get; } = new("Whether the server is alive")
    {
        Id = "getServerLive",
        Tag = Tag,
        Answers = [new(200, "Alive", typeof(ServerHealth), """{"live":true}""")],
    };

    public static EndpointDescription Ready { get; } = new("Whether the server would answer an inference now")
    {
        Id = "getServerReady",
        Tag = Tag,
        Answers =
        [
            new(200, "Ready", typeof(ServerHealth), """{"live":true,"ready":true}"""),
            new(503, "Not ready", typeof(ServerHealth), """{"live":false,"ready":false}"""),
        ],
    };

    public static EndpointDescription Model { get; } = new("A model's tensors and versions")
    {
        Id = "getModel",
        Tag = Tag,
        Answers =
        [
            new(200, "The model", typeof(ModelMetadata), """
                {"name":"minilm-sst2","versions":["1"],"platform":"onnx_onnxv1","inputs":[{"name":"text","datatype":"BYTES","shape":[-1]}],
                "outputs":[{"name":"probabilities","datatype":"FP32","shape":[-1,2]},{"name":"label","datatype":"BYTES","shape":[-1]}]}
                """),
        ],
        Refusals = [404, 503],
    };

    public static EndpointDescription ModelReady { get; } = new("Whether a model would answer an inference now")
    {
        Id = "getModelReady",
        Tag = Tag,
        Answers =
        [
            new(200, "Ready", typeof(ModelReady), """{"name":"minilm-sst2","ready":true}"""),
            new(503, "Not ready", typeof(ModelReady), """{"name":"minilm-sst2","ready":false}"""),
        ],
        Refusals = [404],
    };

    public static EndpointDescription Infer { get; } = new("Classify texts")
    {
        Id = "infer",
        Tag = Tag,
        Details = "One input tensor \"text\" of datatype BYTES and shape [n] or [n, 1], n at most 32. It is taken as a whole or not at all. Too long a text loses its end, and \"parameters\" says so.",
        Bodies = [("application/json", """{"id":"42","inputs":[{"name":"text","shape":[2],"datatype":"BYTES","data":["What a wonderful film!","What a waste of time."]}],"outputs":[{"name":"label"}]}""")],
        BodySchema = BodySchemas.Infer,
        Answers =
        [
            new(200, "The tensors asked for", typeof(InferAnswer), """
                {"model_name":"minilm-sst2","model_version":"1","id":"42","parameters":{"worker":"worker-1","queue_ms":0.1,"attempts":1,"inference_ms":2.5,"truncated":false},
                "outputs":[{"name":"label","datatype":"BYTES","shape":[2],"data":["POSITIVE","NEGATIVE"]}]}
                """),
        ],
        Refusals = [400, 404, 413, 415, 422, 429, 500, 502, 503, 504],
    };
}
