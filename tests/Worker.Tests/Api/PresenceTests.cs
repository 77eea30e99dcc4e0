using System.Globalization;
using System.Net;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Lab.Worker.Api;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Api;

/// <summary>What orchestrators over one fleet learn from a worker.</summary>
public sealed class PresenceTests
{
    private const string Text = """{"text":"fine"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_OrchestratorsThatNameThemselves_LearnOfEachOther()
    {
        await using var worker = await RunningWorker.StartAsync(inner => inner, new FakeTimeProvider());
        Assert.Matches("""^{"orchestrators":\[],"idle_ms":[0-9]+}$""", await worker.Client.GetStringAsync("/presence", Cancellation));
        await worker.Client.GetStringAsync("/presence?orchestrator=b", Cancellation);
        Assert.StartsWith("""{"orchestrators":["a_-9","b"],"idle_ms":""", await worker.Client.GetStringAsync("/presence?orchestrator=a_-9", Cancellation), StringComparison.Ordinal);

        worker.Departure.Announce("spot interruption", new(2026, 1, 1, 1, 0, 0, TimeSpan.FromHours(1)));
        Assert.Contains("""
            "leaving":{"reason":"spot interruption","at":"2026-01-01T00:00:00Z"}
            """.Trim(), await worker.Client.GetStringAsync("/presence", Cancellation), StringComparison.Ordinal);
        // Whoever comes nevertheless is refused.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a%20b")]
    [InlineData("a%0Ab")]
    [InlineData("%C3%BC")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("a&orchestrator=b")]
    public async Task Get_NoName_IsRefused(string id)
    {
        await using var worker = await RunningWorker.StartAsync(inner => inner);
        using var answer = await worker.Client.GetAsync($"/presence?orchestrator={id}", Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Post_WhileComputing_TellsForHowLongAndTheOtherThatItIsWanted()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner));
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", Text, Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");
        foreach (var (path, body) in ((string, string)[])[("/run_model", Text), ("/run_batch", """{"texts":["a","b"]}""")])
        {
            using var refused = await worker.PostJsonAsync(path, body, Cancellation);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(int.Parse(Assert.Single(refused.Headers.GetValues(DispatchHeaders.Busy)), CultureInfo.InvariantCulture), 1, DispatchHeaders.MaxBusyMs);
        }

        Assert.Matches("""^{"orchestrators":\[],"busy_ms":[0-9]+}$""", await worker.Client.GetStringAsync("/presence", Cancellation));
        model.Release();
        using var answer = await first;
        Assert.Equal("1", Assert.Single(answer.Headers.GetValues(DispatchHeaders.Wanted)));
        using var next = await worker.PostJsonAsync("/run_model", Text, Cancellation);
        Assert.Equal((HttpStatusCode.OK, false), (next.StatusCode, next.Headers.Contains(DispatchHeaders.Wanted)));
    }

    [Fact]
    public async Task Post_WhileComputing_OneOfEachOtherOrchestratorWaits()
    {
        HeldModel model = null!;
        // Orchestrators are forgotten after a moment, which the test may take itself.
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner), new FakeTimeProvider());
        await worker.Client.GetStringAsync("/presence?orchestrator=a", Cancellation);
        await worker.Client.GetStringAsync("/presence?orchestrator=b", Cancellation);
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", Text, Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");
        // Two at once, for one of whom there is room: which one is for them to find out.
        var others = new[] { worker.PostJsonAsync("/run_model", Text, Cancellation), worker.PostJsonAsync("/run_model", Text, Cancellation) };
        using var refused = await await Task.WhenAny(others);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        model.Release();
        Assert.Equal("1", Assert.Single((await first).Headers.GetValues(DispatchHeaders.Wanted)));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], (await Task.WhenAll(others)).Select(answer => answer.StatusCode).Order());
    }

    [Fact]
    public void Lately_WhoIsSilent_IsForgottenAfterAMomentAndNeverAreThereTooMany()
    {
        var time = new FakeTimeProvider();
        var known = new KnownOrchestrators(time);
        known.Hear("a");
        time.Advance(TimeSpan.FromSeconds(1));
        known.Hear("b");
        Assert.Equal(["a", "b"], known.Lately());
        time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.Equal(["b"], known.Lately());
        Assert.Equal(0, known.Others());
        known.Hear("c");
        Assert.Equal(1, known.Others());

        for (var i = 0; i < 100; i++) known.Hear($"many-{i}");
        Assert.Equal(Presence.MaxOrchestrators, known.Lately().Count);
        Assert.Contains("b", known.Lately());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(known.Lately());
        Assert.Equal(0, known.Others());
        known.Hear("a");
        Assert.Equal(["a"], known.Lately());
    }
}
