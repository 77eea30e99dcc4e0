using Lab.ServiceDefaults.Contracts.Description;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>What the OpenAPI document says of text-embeddings-inference's contract.</summary>
internal static class PredictDescriptions
{
    private static readonly ApiTag Tag = new("Text Embeddings Inference", "The contract of Hugging Face's text-embeddings-inference for classifiers.");

    public static EndpointDescription Predict { get; } = new("Classify texts or pairs of texts (text-embeddings-inference)")
    {
        Id = "predict",
        Tag = Tag,
        Details = "One input gives a list of scores, a batch a list of such lists, in order. A batch is taken as a whole or not at all.",
        Bodies = [("application/json", """{"inputs":[["What a wonderful film!"],["Is it good?","It is not."]],"truncate":true}""")],
        BodySchema = BodySchemas.Predict,
        Answers =
        [
            new(200, "The scores of each input, falling", typeof(PredictScore[][]), """[[{"score":0.98,"label":"POSITIVE"},{"score":0.02,"label":"NEGATIVE"}],[{"score":0.91,"label":"NEGATIVE"},{"score":0.09,"label":"POSITIVE"}]]""",
                Headers: ClassifiedHeaders.Descriptions, Schema: Scores),
        ],
        Refusals = [400, 413, 415, 422, 429, 500, 502, 503, 504],
    };

    public static EndpointDescription Rerank { get; } = new("Put texts in order by how well they fit a query (text-embeddings-inference)")
    {
        Id = "rerank",
        Tag = Tag,
        Details = "For models with one label, which read query and text as a pair; any other model is refused with 424. The texts are taken as a whole or not at all. Of equal scores the text that was sent first is first.",
        Bodies = [("application/json", """{"query":"What is deep learning?","texts":["The cheese is made of goat's milk.","Deep learning is a kind of machine learning."],"truncate":true}""")],
        BodySchema = BodySchemas.Rerank,
        Answers =
        [
            new(200, "The texts by falling score", typeof(Rank[]), """[{"index":1,"score":0.97},{"index":0,"score":0.01}]""",
                Headers: ClassifiedHeaders.Descriptions),
        ],
        Refusals = [400, 413, 415, 422, 424, 429, 500, 502, 503, 504],
    };

    public static EndpointDescription Info { get; } = new("The model that is served")
    {
        Id = "getInfo",
        Tag = Tag,
        Answers =
        [
            new(200, "The model", typeof(ModelInfo), """
                {"model_id":"minilm-sst2","model_sha":"1f0c","model_dtype":"float32","model_type":{"classifier":{"id2label":{"0":"NEGATIVE","1":"POSITIVE"},"label2id":{"NEGATIVE":0,"POSITIVE":1}}},
                "max_concurrent_requests":10000,"max_input_length":128,"max_batch_tokens":4096,"max_client_batch_size":32,"auto_truncate":false,"tokenization_workers":1,"version":"1.0.0","problem_type":"single_label_classification"}
                """),
        ],
        Refusals = [503],
    };

    // A list of scores, or of a batch a list of such lists.
    private static OpenApiSchema Scores(OpenApiDocument document)
    {
        var scores = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchemaReference(nameof(PredictScore), document) };
        return new() { OneOf = [scores, new OpenApiSchema { Type = JsonSchemaType.Array, Items = scores }] };
    }
}
