using Lab.ServiceDefaults.Contracts.Description;

namespace Lab.ServiceDefaults.Contracts.InferenceApi;

/// <summary>What the OpenAPI document says of Hugging Face's inference API.</summary>
internal static class InferenceApiDescriptions
{
    public static EndpointDescription Classify { get; } = new("Classify texts (Hugging Face's inference API)")
    {
        Id = "classifyTexts",
        Tag = new("Inference API", "Hugging Face's inference API, as its clients call it."),
        Details = "What clients of Hugging Face's inference API call: a list of labels and scores for each text, the highest score first. A list of texts is taken as a whole or not at all.",
        Bodies = [("application/json", """{"inputs":["What a wonderful film!","What a waste of time."],"parameters":{"top_k":1}}""")],
        BodySchema = BodySchemas.InferenceApi,
        Answers =
        [
            new(200, "The labels of each text", typeof(LabelScore[][]), """[[{"label":"POSITIVE","score":0.98}],[{"label":"NEGATIVE","score":0.91}]]""",
                Headers: ClassifiedHeaders.Descriptions),
        ],
        Refusals = [400, 413, 415, 422, 429, 500, 502, 503, 504],
    };
}
