using System.Text;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Pairs of texts on <c>POST /new_request</c>.</summary>
public sealed class PairTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Pair_ReachesTheWorkerWhole()
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, """{"text":"Is it good?","text_pair":"naïve 文 \u0001 🙂"}""");
        Assert.Equal(200, (int)response.StatusCode);
        var answer = await ReadAnswerAsync(response);
        Assert.Equal(("Is it good?", "POSITIVE", 1), (answer.InputText, answer.Label, answer.BatchSize));
        var batch = Assert.Single(lab.Workers[0].BatchRequests);
        Assert.Equal("Is it good?", Assert.Single(batch.Texts));
        Assert.Equal(new("naïve 文 \u0001 🙂"), Assert.Single(batch.Options!));
    }

    [Theory]
    [InlineData("""{"text":"one text"}""")]
    [InlineData("""{"text":"one text","text_pair":null}""")]
    public async Task Post_OneText_TravelsInTheCheapestForm(string body)
    {
        await using var lab = await StartAsync(workers: 1);
        using var response = await PostAsync(lab, body);
        Assert.Equal("one text", (await ReadAnswerAsync(response)).InputText);
        Assert.Empty(lab.Workers[0].BatchRequests);
    }

    [Theory]
    [InlineData("""{"text_pair":"b"}""", 400)]
    [InlineData("""{"text":"a","text_pair":""}""", 400)]
    [InlineData("""{"text":"a","text_pair":["b"]}""", 422)]
    public async Task Post_HalfAPair_IsRefusedBeforeAnyWorker(string body, int status)
    {
        await using var lab = await StartAsync(workers: 1);
        foreach (var prefer in (string?[])[null, "respond-async"])
        {
            using var response = await PostAsync(lab, body, prefer);
            Assert.Contains("\"text", await ReadProblemAsync(response, status), StringComparison.Ordinal);
        }

        Assert.Empty(lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Post_LongSecondTexts_TakeRoomInTheQueue()
    {
        var release = new TaskCompletionSource();
        await using var lab = await StartAsync(workers: 1, "--Orchestrator:QueueBytes=3000000");
        var whole = lab.Workers[0].HandleBatch;
        lab.Workers[0].HandleBatch = async texts =>
        {
            await release.Task;
            return await whole(texts);
        };
        var first = PostAsync(lab, Long());
        await lab.UntilAsync(table => table["worker-1"].Status == "busy");
        using (var second = await PostAsync(lab, Long())) Assert.Contains("memory", await ReadProblemAsync(second, 429), StringComparison.Ordinal);
        release.SetResult();
        using (var answered = await first) Assert.Equal(200, (int)answered.StatusCode);

        static string Long() => $$"""{"text":"a","text_pair":"{{new string('b', 900_000)}}"}""";
    }

    [Fact]
    public async Task Post_LongSecondText_TravelsAlone()
    {
        await using var lab = await StartAsync(workers: 1);
        using var held = new SemaphoreSlim(0);
        var whole = lab.Workers[0].HandleBatch;
        lab.Workers[0].HandleBatch = async texts =>
        {
            await held.WaitAsync(Cancellation);
            return await whole(texts);
        };
        var posts = Enumerable.Range(0, 4).Select(_ => PostAsync(lab, $$"""{"text":"a","text_pair":"{{new string('b', 20_000)}}"}""")).ToList();
        held.Release(posts.Count);
        foreach (var post in posts)
            using (var response = await post) Assert.Equal(1, (await ReadAnswerAsync(response)).BatchSize);
    }

    private static async Task<HttpResponseMessage> PostAsync(RunningOrchestrator lab, string json, string? prefer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (prefer is not null) request.Headers.Add("Prefer", prefer);
        return await lab.Client.SendAsync(request, Cancellation);
    }
}
