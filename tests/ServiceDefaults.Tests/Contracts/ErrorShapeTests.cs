using System.Net;
using System.Text.Json.Nodes;
using Lab.ServiceDefaults.Contracts;

namespace Lab.ServiceDefaults.Tests.Contracts;

public sealed class ErrorShapeTests
{
    private const string Infer = """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/nothing", null, 404, """{"title":"Not Found","status":404,"detail":"There is nothing at this path."}""")]
    [InlineData("GET", "/admin", null, 405, """{"title":"Method Not Allowed","status":405,"detail":"This path does not take this method."}""")]
    [InlineData("GET", "/broken", null, 500, """{"title":"Internal Server Error","status":500,"detail":"Something went wrong on this side."}""")]
    [InlineData("GET", "/refused", null, 429, """{"title":"Busy","status":429,"detail":"There is much to do."}""")]
    [InlineData("GET", "/predict", null, 405, """{"error":"This path does not take this method.","error_type":"validation"}""")]
    [InlineData("GET", "/rerank", null, 405, """{"error":"This path does not take this method.","error_type":"validation"}""")]
    [InlineData("POST", "/rerank", """{"query":"a","texts":[]}""", 400, """{"error":"`texts` cannot be empty.","error_type":"empty"}""")]
    [InlineData("GET", "/predict/nothing", null, 404, """{"error":"There is nothing at this path.","error_type":"validation"}""")]
    [InlineData("POST", "/predict", """{"inputs":"a"}""", 429, """{"error":"There is much to do.","error_type":"overloaded"}""")]
    [InlineData("POST", "/predict", """{"inputs":[]}""", 400, """{"error":"`inputs` is an empty batch.","error_type":"empty"}""")]
    [InlineData("POST", "/v2/models/tiny/infer", Infer, 429, """{"error":"There is much to do."}""")]
    [InlineData("POST", "/v2/models/other/infer", Infer, 404, """{"error":"There is no model \"other\"; there is \"tiny\"."}""")]
    [InlineData("GET", "/V2/nothing", null, 404, """{"error":"There is nothing at this path."}""")]
    [InlineData("GET", "/v2nothing", null, 404, """{"title":"Not Found","status":404,"detail":"There is nothing at this path."}""")]
    public async Task Call_ThatFails_IsToldInTheFormOfItsProtocol(string method, string path, string? json, int status, string expected)
    {
        await using var service = await SampleService.StartAsync();
        using var response = await service.SendAsync(method, path, json: json);
        Assert.Equal(status, (int)response.StatusCode);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!.AsObject();
        var isProblem = expected.Contains("title", StringComparison.Ordinal);
        Assert.Equal(isProblem ? "application/problem+json" : "application/json", response.Content.Headers.ContentType?.MediaType);
        // A problem has also a type, and the trace's number.
        if (isProblem) foreach (var name in (string[])["type", "trace_id"]) body.Remove(name);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), body), body.ToJsonString());
        // Whatever the form, a refusal says when to try again, and only one that knows.
        Assert.Equal(status is 429 ? ["7"] : [], response.Headers.TryGetValues("Retry-After", out var seconds) ? seconds : []);
    }

    [Fact]
    public async Task Post_TooLargeABody_Is413()
    {
        await using var service = await SampleService.StartAsync();
        using var response = await service.SendAsync("POST", "/predict", json: $$"""{"inputs":"{{new string('a', SampleService.MaxBodyBytes)}}"}""");
        Assert.Equal(413, (int)response.StatusCode);
        Assert.Equal(
            """{"error":"The body is larger than the limit of 1024 bytes.","error_type":"validation"}""",
            await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Exception_OutOfMemory_IsToldAsTooMuchAtOnce()
    {
        await using var service = await SampleService.StartAsync();
        using var response = await service.SendAsync("GET", "/full");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Contains(BodyMemory.Refusal.Title, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void TryGet_ValueOrRefusal_IsThatOne()
    {
        Result<int> value = 5;
        Assert.True(value.TryGet(out var number, out var none));
        Assert.Equal(5, number);
        Assert.Null(none);

        Result<string> refused = SampleService.Busy;
        Assert.False(refused.TryGet(out var nothing, out var refusal));
        Assert.Null(nothing);
        Assert.Same(SampleService.Busy, refusal);
    }
}
