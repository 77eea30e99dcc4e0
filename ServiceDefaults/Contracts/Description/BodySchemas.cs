using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Lab.ServiceDefaults.Contracts.Description;

/// <summary>The form of a body that no type of ours stands for.</summary>
/// <param name="Name">Its name in the document and in generated clients.</param>
/// <param name="Create">Makes it anew: a document changes what it is given.</param>
public sealed record BodySchema(string Name, Func<OpenApiSchema> Create);

/// <summary>The forms of all such bodies.</summary>
public static class BodySchemas
{
    private static OpenApiSchema String => new() { Type = JsonSchemaType.String };

    private static OpenApiSchema Flag => new() { Type = JsonSchemaType.Boolean, Default = false };

    /// <summary><c>{"text":"…"}</c>, of a pair <c>{"text":"…","text_pair":"…"}</c>.</summary>
    public static BodySchema Text { get; } = new("TextBody", () => Object(["text"],
        ("text", String),
        ("text_pair", OrNull(new() { Type = JsonSchemaType.String, Description = "The second text of a pair, which is classified together with the first." }))));

    /// <summary><c>{"texts":["…"],"options":[…]}</c>.</summary>
    public static BodySchema Batch { get; } = new("BatchBody", () => Object(["texts"],
        ("texts", List(String, 1, TextInput.MaxInputs)),
        ("options", List(OrNull(Object([], ("pair", String), ("cut_left", Flag), ("raw_scores", Flag))), 1, TextInput.MaxInputs)),
        ("tokens", List(String, 1, TextInput.MaxInputs))));

    /// <summary>The body of <c>POST /predict</c>.</summary>
    public static BodySchema Predict { get; } = new("PredictBody", () => Object(["inputs"],
        ("inputs", new OpenApiSchema
        {
            OneOf = [String, List(String, 1, 2), List(List(String, 1, 2), 1, TextInput.MaxInputs)],
            Description = "A text; a pair of two texts, which is one input; or a batch of arrays of one or two texts.",
        }),
        ("truncate", Flag),
        ("truncation_direction", new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("right"), JsonValue.Create("left")] }),
        ("raw_scores", Flag)));

    /// <summary>The body of <c>POST /rerank</c>.</summary>
    public static BodySchema Rerank { get; } = new("RerankBody", () => Object(["query", "texts"],
        ("query", String),
        ("texts", List(String, 1, TextInput.MaxInputs)),
        ("truncate", Flag),
        ("truncation_direction", new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create("right"), JsonValue.Create("left")] }),
        ("raw_scores", Flag),
        ("return_text", Flag)));

    /// <summary>The body of <c>POST /</c>.</summary>
    public static BodySchema InferenceApi { get; } = new("InferenceApiBody", () =>
    {
        var input = new OpenApiSchema { OneOf = [String, Object(["text"], ("text", String), ("text_pair", String))] };
        return Object(["inputs"],
            ("inputs", new OpenApiSchema
            {
                OneOf = [.. input.OneOf, List(input, 1, TextInput.MaxInputs)],
                Description = "A text, a pair of two texts as an object, or a list of either.",
            }),
            ("parameters", Object([],
                ("top_k", OrNull(new() { Type = JsonSchemaType.Integer, Minimum = "1", Description = "The most labels in an answer; all where it is absent." })),
                ("function_to_apply", OrNull(new()
                {
                    Type = JsonSchemaType.String,
                    Enum = [JsonValue.Create("sigmoid"), JsonValue.Create("softmax"), JsonValue.Create("none"), null!],
                    Description = "What makes scores of logits; the model's own where it is absent.",
                })),
                ("truncation", Flag))),
            ("options", new OpenApiSchema { Type = JsonSchemaType.Object, Description = "Taken and passed over: how the hub's own servers are to wait and to cache." }));
    });

    /// <summary>The body of <c>POST /v2/models/{model}/infer</c>.</summary>
    public static BodySchema Infer { get; } = new("InferBody", () => Object(["inputs"],
        ("id", String),
        ("parameters", new OpenApiSchema { Type = JsonSchemaType.Object }),
        ("inputs", List(Object(["name", "shape", "datatype", "data"],
            ("name", String),
            ("shape", List(new OpenApiSchema { Type = JsonSchemaType.Integer }, 1, 2)),
            ("datatype", String),
            ("parameters", new OpenApiSchema { Type = JsonSchemaType.Object }),
            ("data", new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { AnyOf = [String, List(String, 1, 1)] } })), 1, 1)),
        ("outputs", List(Object(["name"], ("name", String)), 0, 2))));

    private static OpenApiSchema Object(IEnumerable<string> required, params (string Name, OpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Required = required.ToHashSet(),
        Properties = members.ToDictionary(member => member.Name, IOpenApiSchema (member) => member.Schema),
    };

    // Generators that know no absent number or choice write 0 or the first.
    private static OpenApiSchema OrNull(OpenApiSchema schema)
    {
        schema.Type |= JsonSchemaType.Null;
        return schema;
    }

    private static OpenApiSchema List(OpenApiSchema items, int min, int max) =>
        new() { Type = JsonSchemaType.Array, Items = items, MinItems = min, MaxItems = max };
}
