using Lab.ServiceDefaults.Contracts.Description;

namespace Lab.ServiceDefaults.Contracts.Predict;

/// <summary>What the OpenAPI document says of text-embeddings-inference's contract.</summary>
internal static class PredictDescriptions
{
    public static EndpointDescription Predict { get; } = new("Classify texts or pairs of texts (text-embeddings-inference)")
    {
        Details = "One input gives a list of scores, a batch a list of such lists, in order. A batch is taken as a whole or not at all.",
        Bodies = [("application/json", """{"inputs":[["What a wonderful film!"],["Is it good?","It is not."]],"truncate":true}""")],
        BodySchema = BodySchemas.Predict,
        Answers =
        [
            new(200, "The scores of each input, falling", Example: """[[{"score":0.98,"label":"POSITIVE"},{"score":0.02,"label":"NEGATIVE"}],[{"score":0.91,"label":"NEGATIVE"},{"score":0.09,"label":"POSITIVE"}]]""",
                Headers:
                [
                    (PredictEndpoint.WorkerHeader, "Who computed; several names with commas."),
                    (PredictEndpoint.QueueTimeHeader, "Milliseconds before the dispatch, of several inputs the longest."),
                    (PredictEndpoint.InferenceTimeHeader, "Milliseconds of tokenisation and inference, of several dispatches the longest."),
                ]),
        ],
        Refusals = [400, 413, 415, 422, 429, 500, 502, 503, 504],
    };

    public static EndpointDescription Info { get; } = new("The model that is served")
    {
        Answers =
        [
            new(200, "The model", typeof(ModelInfo), """
                {"model_id":"minilm-sst2","model_sha":"1f0c","model_dtype":"float32","model_type":{"classifier":{"id2label":{"0":"NEGATIVE","1":"POSITIVE"},"label2id":{"NEGATIVE":0,"POSITIVE":1}}},
                "max_concurrent_requests":10000,"max_input_length":128,"max_batch_tokens":4096,"max_client_batch_size":32,"auto_truncate":false,"tokenization_workers":1,"version":"1.0.0","problem_type":"single_label_classification"}
                """),
        ],
        Refusals = [503],
    };
}
