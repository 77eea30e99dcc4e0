using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Tests.Protocols;

/// <summary>
/// A client of the Open Inference Protocol v2 over REST that takes the specification at its word
/// (kserve/open-inference-protocol, specification/protocol/inference_rest.md) and knows nothing of Lab.
/// </summary>
internal sealed class OpenInferenceClient(HttpClient http, CancellationToken cancellationToken)
{
    /// <summary>$metadata_server_response = { "name" : $string, "version" : $string, "extensions" : [ $string, ... ] }</summary>
    public async Task<string> ServerNameAsync()
    {
        var server = await GetAsync("v2");
        Has(server, ["name", "version", "extensions"], []);
        Assert.NotEmpty(String(server["version"]));
        Assert.All(server["extensions"]!.AsArray(), extension => String(extension));
        return String(server["name"]);
    }

    /// <summary>$live_server_response = { "live" : $bool }</summary>
    public async Task<bool> IsLiveAsync() => (await GetAsync("v2/health/live"))["live"]!.GetValue<bool>();

    /// <summary>$ready_server_response = { "live" : $bool }</summary>
    public async Task<bool> IsReadyAsync() => (await GetAsync("v2/health/ready"))["live"]!.GetValue<bool>();

    /// <summary>$ready_model_response = { "name" : $string, "ready": $bool }</summary>
    public async Task<bool> IsModelReadyAsync(string model, string? version = null)
    {
        var ready = await GetAsync($"{Path(model, version)}/ready");
        Has(ready, ["name", "ready"], []);
        Assert.Equal(model, String(ready["name"]));
        return ready["ready"]!.GetValue<bool>();
    }

    /// <summary>$metadata_model_response: name, versions #optional, platform, inputs, outputs.</summary>
    public async Task<JsonObject> ModelAsync(string model, string? version = null)
    {
        var metadata = await GetAsync(Path(model, version));
        Has(metadata, ["name", "platform", "inputs", "outputs"], ["versions"]);
        Assert.Equal(model, String(metadata["name"]));
        foreach (var tensor in metadata["inputs"]!.AsArray().Concat(metadata["outputs"]!.AsArray()))
        {
            Has(tensor!.AsObject(), ["name", "datatype", "shape"], []);
            Assert.Contains(String(tensor["datatype"]), (string[])["BYTES", "FP32"]);
            Assert.All(tensor["shape"]!.AsArray(), dimension => Assert.True(dimension!.GetValue<int>() is -1 or > 0));
        }

        return metadata;
    }

    /// <summary>$inference_request to $inference_response: model_name, model_version #optional, id, parameters #optional, outputs.</summary>
    public async Task<JsonObject> InferAsync(string model, JsonObject request, string? version = null)
    {
        using var response = await PostAsync(model, request.ToJsonString(), version);
        Assert.Equal(200, (int)response.StatusCode);
        var answer = await ReadAsync(response);
        Has(answer, ["model_name", "outputs"], ["model_version", "id", "parameters"]);
        Assert.Equal(model, String(answer["model_name"]));
        // "if specified this identifier must be returned in the response"
        Assert.Equal(request["id"]?.GetValue<string>(), answer["id"]?.GetValue<string>());
        foreach (var (_, value) in answer["parameters"]?.AsObject() ?? [])
            Assert.Contains(value!.GetValueKind(), (JsonValueKind[])[JsonValueKind.String, JsonValueKind.Number, JsonValueKind.True, JsonValueKind.False]);
        foreach (var output in answer["outputs"]!.AsArray())
        {
            Has(output!.AsObject(), ["name", "shape", "datatype", "data"], ["parameters"]);
            // "the shape and data must represent the full shape and contents of the entire batch"
            var elements = output["shape"]!.AsArray().Aggregate(1, (product, dimension) => product * dimension!.GetValue<int>());
            Assert.Equal(elements, output["data"]!.AsArray().Count);
        }

        return answer;
    }

    /// <summary>"must be indicated by an HTTP error status. The HTTP body must contain the error object": { "error": $string }</summary>
    public async Task<string> FailAsync(string model, string body, int status, string? version = null)
    {
        using var response = await PostAsync(model, body, version);
        return await ReadErrorAsync(response, status);
    }

    public static async Task<string> ReadErrorAsync(HttpResponseMessage response, int status)
    {
        Assert.Equal(status, (int)response.StatusCode);
        var error = await ReadAsync(response);
        Has(error, ["error"], []);
        return String(error["error"]);
    }

    public static JsonObject Request(params string[] texts) => new()
    {
        ["inputs"] = new JsonArray(new JsonObject
        {
            ["name"] = "text",
            ["shape"] = new JsonArray(texts.Length),
            ["datatype"] = "BYTES",
            ["data"] = new JsonArray([.. texts.Select(text => JsonValue.Create(text))]),
        }),
    };

    private static string Path(string model, string? version) =>
        $"v2/models/{Uri.EscapeDataString(model)}{(version is null ? "" : $"/versions/{version}")}";

    private async Task<JsonObject> GetAsync(string path)
    {
        using var response = await http.GetAsync(path, cancellationToken);
        return await ReadAsync(response);
    }

    private async Task<HttpResponseMessage> PostAsync(string model, string body, string? version)
    {
        using var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        return await http.PostAsync($"{Path(model, version)}/infer", content, cancellationToken);
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    private static void Has(JsonObject json, string[] needed, string[] optional)
    {
        var names = json.Select(member => member.Key).ToList();
        Assert.Empty(needed.Except(names));
        Assert.Empty(names.Except(needed).Except(optional));
    }

    private static string String(JsonNode? node)
    {
        Assert.Equal(JsonValueKind.String, node!.GetValueKind());
        return node.GetValue<string>();
    }
}
