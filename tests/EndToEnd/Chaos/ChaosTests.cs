using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Lab.EndToEnd.Cluster;
using Lab.Orchestrator.Tests.Jobs;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.EndToEnd.Chaos;

/// <summary>
/// Load while workers are killed, frozen and slowed and an orchestrator is killed once: no accepted job is lost, nothing
/// is answered wrongly or twice, and every refusal is a proper one. <c>LAB_CHAOS_SECONDS</c> makes it longer.
/// </summary>
public sealed class ChaosTests(SharedPostgres postgres)
{
    private const int Clients = 64;
    private const int Jobs = 1000;

    // Packed and single fp32 inference differ by rounding alone.
    private const double Tolerance = 1e-4;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(int.Parse(
        Environment.GetEnvironmentVariable("LAB_CHAOS_SECONDS") ?? "12", CultureInfo.InvariantCulture));

    private static readonly TimeSpan JobLimit = TimeSpan.FromSeconds(90);

    private static readonly string[] Words =
        ["good", "bad", "dull", "bright", "film", "phone", "slow", "fast", "loved", "hated", "never", "always", "story", "service"];

    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<int, int> _statuses = new();
    private readonly ConcurrentDictionary<string, string> _requestIds = new();
    private readonly ConcurrentDictionary<string, string> _jobs = new();
    private int _cutOff;
    private volatile bool _isDown;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Load_OverSqlite_NothingIsLostOrWrong()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these tests send Linux's signals");
        var directory = Directory.CreateTempSubdirectory("lab-chaos-");
        try
        {
            await RunAsync(orchestrators: 1, new Dictionary<string, string> { ["Jobs__Path"] = Path.Combine(directory.FullName, "jobs.db") });
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Load_OverPostgresWithTwoOrchestrators_NothingIsLostOrWrong()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these tests send Linux's signals");
        var database = await (await postgres.Cluster).CreateDatabaseAsync();
        await RunAsync(orchestrators: 2, new Dictionary<string, string> { ["Jobs__Provider"] = "postgres", ["Jobs__ConnectionString"] = database });
    }

    private async Task RunAsync(int orchestrators, IReadOnlyDictionary<string, string> settings)
    {
        await using var fleet = new ChaosFleet();
        await fleet.StartAsync(orchestrators, settings, Cancellation);
        var texts = Words.SelectMany(a => Words.Select(b => $"{a} {b}")).ToList();
        var known = await fleet.AskWorkerAsync(texts, Cancellation);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };

        using var enough = new CancellationTokenSource();
        var harm = fleet.HarmAsync(seed: 1, enough.Token, Cancellation);
        var load = Enumerable.Range(0, Clients).Select(i => LoadAsync(client, fleet.Orchestrators, known, seed: i, enough.Token)).ToList();
        await Task.Delay(Duration / 3, Cancellation);
        await SubmitJobsAsync(client, fleet.Orchestrators, texts);
        _isDown = true;
        await fleet.Orchestrators[0].KillAsync();
        using (var probe = new HttpClient()) await fleet.Orchestrators[0].StartAsync(probe, Cancellation);
        _isDown = false;
        await Task.Delay(Duration * 2 / 3, Cancellation);
        await enough.CancelAsync();
        await Task.WhenAll(load);
        await harm;
        var finished = await ReadJobsAsync(client, fleet.Orchestrators, known);

        TestContext.Current.SendDiagnosticMessage(
            $"{_requestIds.Count} answers, statuses {string.Join(", ", _statuses.OrderBy(s => s.Key).Select(s => $"{s.Key}: {s.Value}"))}, "
            + $"{_cutOff} cut off with the orchestrator, {_jobs.Count} jobs accepted, harm {string.Join(", ", fleet.Harm.Select(h => $"{h.Key}: {h.Value}"))}");
        Assert.Empty(_wrong);
        Assert.True(_requestIds.Count > Clients, $"only {_requestIds.Count} answers");
        Assert.All(_statuses.Keys, status => Assert.True(status is 200 or 429 or 503 or 504, $"{_statuses[status]} answers of status {status}"));
        Assert.Equal(Jobs, _jobs.Count);
        Assert.Equal(_jobs.Count, finished);
        Assert.NotEmpty(fleet.Harm);
    }

    private async Task LoadAsync(HttpClient client, List<LabService> orchestrators, Dictionary<string, ModelAnswer> known, int seed, CancellationToken enough)
    {
        var random = new Random(seed);
        var texts = known.Keys.ToList();
        while (!enough.IsCancellationRequested)
        {
            var text = texts[random.Next(texts.Count)];
            var wasDown = _isDown;
            try
            {
                using var response = await client.PostAsJsonAsync(
                    new Uri(orchestrators[random.Next(orchestrators.Count)].Address, "/new_request"), new { text }, Cancellation);
                _statuses.AddOrUpdate((int)response.StatusCode, 1, (_, count) => count + 1);
                if (response.StatusCode is HttpStatusCode.OK)
                {
                    var answer = (await response.Content.ReadFromJsonAsync<RequestAnswer>(WireJson.Relaxed.Options, Cancellation))!;
                    if (!_requestIds.TryAdd(answer.RequestId, text)) _wrong.Enqueue($"{answer.RequestId} was answered twice");
                    Check(text, answer, known[text]);
                }
                else if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is null)
                {
                    _wrong.Enqueue($"{(int)response.StatusCode} without Retry-After");
                }
                else
                {
                    await Task.Delay(20, Cancellation);
                }
            }
            catch (HttpRequestException e)
            {
                // The killed orchestrator's own connections: the client knows that it has no answer. At no other time.
                Interlocked.Increment(ref _cutOff);
                if (!wasDown && !_isDown) _wrong.Enqueue($"a request was cut off while every orchestrator ran: {e.Message}");
                await Task.Delay(200, Cancellation);
            }
        }
    }

    private async Task SubmitJobsAsync(HttpClient client, List<LabService> orchestrators, List<string> texts)
    {
        await Parallel.ForAsync(0, Jobs, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancellation }, async (i, cancellationToken) =>
        {
            var text = texts[i % texts.Count];
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(orchestrators[i % orchestrators.Count].Address, "/new_request"))
            {
                Content = JsonContent.Create(new { text }),
            };
            request.Headers.Add("Prefer", "respond-async");
            using var response = await client.SendAsync(request, cancellationToken);
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            _jobs[response.Headers.Location!.ToString()] = text;
        });
    }

    private async Task<int> ReadJobsAsync(HttpClient client, List<LabService> orchestrators, Dictionary<string, ModelAnswer> known)
    {
        var finished = 0;
        foreach (var (location, text) in _jobs)
        {
            using var document = await Eventually.GetAsync(async () =>
            {
                var read = JsonDocument.Parse(await client.GetStringAsync(new Uri(orchestrators[^1].Address, location), Cancellation));
                if (read.RootElement.GetProperty("status").GetString() is not ("queued" or "running")) return read;
                read.Dispose();
                return null;
            }, $"job {location} has ended", limit: JobLimit);
            var status = document.RootElement.GetProperty("status").GetString();
            if (status is not "succeeded") _wrong.Enqueue($"job {location} is {status}: {document.RootElement}");
            else Check(text, document.RootElement.GetProperty("result").Deserialize(WireJson.Relaxed.RequestAnswer)!, known[text]);
            using var again = JsonDocument.Parse(await client.GetStringAsync(new Uri(orchestrators[0].Address, location), Cancellation));
            if (again.RootElement.ToString() != document.RootElement.ToString()) _wrong.Enqueue($"job {location} has changed its end");
            finished++;
        }

        return finished;
    }

    private void Check(string text, RequestAnswer answer, ModelAnswer known)
    {
        if (answer.InputText != text || answer.Label != known.Label
            || answer.Probabilities.Zip(known.Probabilities).Any(pair => Math.Abs(pair.First - pair.Second) > Tolerance))
            _wrong.Enqueue($"'{text}': {answer}, and a worker alone said {known}");
    }
}
