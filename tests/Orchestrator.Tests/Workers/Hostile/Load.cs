using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>Clients that send texts no two of which are the same, alone and several at once, and check every answer against its text.</summary>
/// <param name="client">Asks the orchestrator.</param>
/// <param name="name">Begins every text.</param>
internal sealed class Load(HttpClient client, string name)
{
    private const int Clients = 24;
    private const int PredictInputs = 8;

    // Every so many requests of a client one brings several texts.
    private const int PredictEvery = 8;

    // Every so many texts one travels alone, whose answer may be long as well.
    private const int LongEvery = 50;

    private readonly ConcurrentQueue<double> _others = new();
    private int _numbers;

    /// <summary>How many characters more the long texts have.</summary>
    public int LongText { get; init; }
    private int _texts;

    /// <summary>What was wrong with an answer.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>How many texts were answered.</summary>
    public int Texts => _texts;

    /// <summary>The most dispatches that an answer has needed.</summary>
    public int MaxAttempts { get; private set; }

    /// <summary>The longest that a client has waited, in milliseconds.</summary>
    public double Longest { get; private set; }

    /// <summary>How long it took in milliseconds for 99 of 100 texts that the hostile worker had no part in.</summary>
    public double OthersP99
    {
        get
        {
            var sorted = _others.Order().ToList();
            return sorted.Count == 0 ? 0 : sorted[(int)(0.99 * (sorted.Count - 1))];
        }
    }

    /// <summary>Sends so many texts, and more until enough has happened or time is up.</summary>
    public async Task RunAsync(int texts, Func<bool> isEnough, TimeSpan limit)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(1, Clients).Select(async first =>
        {
            // Not all at the same time, so that single texts and several at once meet.
            for (var i = first; _texts < texts || (!isEnough() && Stopwatch.GetElapsedTime(started) < limit); i++)
            {
                var asked = Stopwatch.GetTimestamp();
                try
                {
                    if (i % PredictEvery == 0) await PredictAsync(isRaw: i % (2 * PredictEvery) == 0);
                    else await AskAsync();
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException)
                {
                    Faults.Enqueue($"no answer after {Stopwatch.GetElapsedTime(asked)}: {e.Message}");
                    if (Faults.Count > Clients) return;
                }
            }
        }));
    }

    private async Task AskAsync()
    {
        var text = NextText();
        var asked = Stopwatch.GetTimestamp();
        using var response = await client.PostAsync(new Uri("/new_request", UriKind.Relative), new StringContent(text));
        if (response.StatusCode is not HttpStatusCode.OK)
        {
            Faults.Enqueue($"{(int)response.StatusCode} for \"{text}\": {await response.Content.ReadAsStringAsync()}");
            return;
        }

        var answer = (await response.Content.ReadFromJsonAsync<RequestAnswer>(WireJson.Relaxed.Options))!;
        var isRight = answer.InputText == text && answer.Label == Honest.LabelOf(text) && answer.Probabilities.SequenceEqual(Honest.ProbabilitiesOf(text));
        Answered(text, isRight, 1, asked, answer.Attempts, isOthers: answer.Attempts == 1 && !answer.Worker.StartsWith(HostileLab.Name, StringComparison.Ordinal));
    }

    private async Task PredictAsync(bool isRaw)
    {
        var texts = Enumerable.Range(0, PredictInputs).Select(_ => NextText()).ToList();
        var asked = Stopwatch.GetTimestamp();
        using var body = new StringContent(JsonSerializer.Serialize(new { inputs = texts.Select(text => new[] { text }), raw_scores = isRaw }), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/predict", UriKind.Relative), body);
        var answer = await response.Content.ReadAsStringAsync();
        if (response.StatusCode is not HttpStatusCode.OK)
        {
            Faults.Enqueue($"{(int)response.StatusCode} for {texts.Count} texts: {answer}");
            return;
        }

        using var scores = JsonDocument.Parse(answer);
        var labels = scores.RootElement.EnumerateArray().Select(one => one[0].GetProperty("label").GetString());
        var isRight = labels.SequenceEqual(texts.Select(Honest.LabelOf)) && scores.RootElement.EnumerateArray().All(one => one.GetArrayLength() == Honest.Labels.Count);
        Answered($"{texts[0]} and more", isRight, texts.Count, asked, attempts: 1, isOthers: false);
    }

    private string NextText()
    {
        var number = Interlocked.Increment(ref _numbers);
        return $"{name} {number} ü文{(number % LongEvery == 0 ? new string('x', LongText) : "")}";
    }

    private void Answered(string text, bool isRight, int count, long asked, int attempts, bool isOthers)
    {
        var took = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
        if (!isRight) Faults.Enqueue($"WRONG answer to \"{text}\"");
        Interlocked.Add(ref _texts, count);
        if (isOthers) _others.Enqueue(took);
        lock (_others)
        {
            MaxAttempts = Math.Max(MaxAttempts, attempts);
            Longest = Math.Max(Longest, took);
        }
    }
}
