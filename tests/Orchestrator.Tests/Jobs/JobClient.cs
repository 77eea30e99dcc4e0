using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lab.Orchestrator.Jobs;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>What a client does with jobs.</summary>
internal static class JobClient
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Submits a job; the headers are pairs of name and value.</summary>
    public static async Task<HttpResponseMessage> SubmitAsync(this HttpClient client, string? text, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request");
        if (text is not null) request.Content = new StringContent(text, Encoding.UTF8, "text/plain");
        if (!headers.Any(header => header.Name == "Prefer")) request.Headers.Add("Prefer", "respond-async");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request, Cancellation);
    }

    /// <summary>Submits a job, which is accepted.</summary>
    /// <returns>Its address.</returns>
    public static async Task<string> AcceptedAsync(this HttpClient client, string text, params (string Name, string Value)[] headers)
    {
        using var response = await client.SubmitAsync(text, headers);
        Assert.Equal(202, (int)response.StatusCode);
        return response.Headers.Location!.ToString();
    }

    public static Task<JobDocument> GetJobAsync(this HttpClient client, string location) =>
        client.GetFromJsonAsync<JobDocument>(location, JsonSerializerOptionsOfJobs, Cancellation)!;

    public static async Task<JobDocument> ReadJobAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JobDocument>(JsonSerializerOptionsOfJobs, Cancellation))!;

    /// <summary>Waits until a job has a status.</summary>
    public static Task<JobDocument> UntilAsync(this HttpClient client, string location, string status) => Eventually.GetAsync(async () =>
    {
        var job = await client.GetJobAsync(location);
        if (job.Status == status) return job;
        Assert.True(job.FinishedAt is null, $"The job is {job.Status} and will never be {status}.");
        return null;
    }, $"{location} is {status}");

    public static async Task<int> StatusOfAsync(this HttpClient client, HttpMethod method, string location)
    {
        using var request = new HttpRequestMessage(method, location);
        using var response = await client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    private static JsonSerializerOptions JsonSerializerOptionsOfJobs => JobsJson.Relaxed.Options;
}
