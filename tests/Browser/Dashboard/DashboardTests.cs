using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lab.Browser.Dashboard;

/// <summary>Aspire's dashboard of a running cluster, used as people use it.</summary>
public sealed class DashboardTests(DashboardFixture fixture) : IClassFixture<DashboardFixture>
{
    private static readonly string[] Workers = [.. Enumerable.Range(1, DashboardFixture.WorkerCount).Select(number => string.Create(CultureInfo.InvariantCulture, $"worker-{number}"))];
    private static readonly string[] Programs = ["bench", "ec2-deployer"];

    private LabCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Resources_ClusterIsUp_AreAllThereWorkersBelowTheOrchestrator()
    {
        await using var tab = await fixture.OpenAsync("/");
        await Expect(tab.ResourceNames()).ToHaveTextAsync([.. Programs, "orchestrator", .. Workers]);
        foreach (var service in (string[])["orchestrator", .. Workers]) await Expect(tab.ResourceState(service)).ToHaveTextAsync("Running");
        foreach (var program in Programs) await Expect(tab.ResourceState(program)).ToHaveTextAsync("Not started");

        var nesting = tab.ResourceRow("orchestrator").GetByLabel("Toggle nesting");
        await nesting.ClickAsync();
        await Expect(tab.ResourceNames()).ToHaveTextAsync([.. Programs, "orchestrator"]);
        await nesting.ClickAsync();
        await Expect(tab.ResourceNames()).ToHaveCountAsync(Programs.Length + 1 + Workers.Length);
        await tab.CheckQuietAsync();
    }

    [Fact]
    public async Task Resources_LinksOfTheOrchestrator_LeadToItsPages()
    {
        await using var tab = await fixture.OpenAsync("/");
        var links = tab.ResourceRow("orchestrator").GetByRole(AriaRole.Link);
        await Expect(links).ToHaveTextAsync(["Cluster page", "API", "Metrics"]);
        foreach (var link in await links.AllAsync())
        {
            using var page = await Cluster.Client.GetAsync(await link.GetAttributeAsync("href"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        }

        await tab.CheckQuietAsync();
    }

    [Fact]
    public async Task Commands_DrainAndResume_AreObeyedByTheOrchestrator()
    {
        await using var tab = await fixture.OpenAsync("/");
        await tab.RunCommandAsync("worker-1", "Drain");
        await UntilWorkerIsAsync("draining");
        await tab.RunCommandAsync("worker-1", "Resume");
        await UntilWorkerIsAsync("free");
        await tab.CheckQuietAsync();

        Task UntilWorkerIsAsync(string status) => Cluster.UntilAsync(async () => (await Cluster.GetWorkersAsync())["worker-1"].Status == status, status);
    }

    [Fact]
    public async Task Commands_Send32Sentences_AreAllAnswered()
    {
        await using var tab = await fixture.OpenAsync("/");
        var before = await CompletedAsync();
        await tab.RunCommandAsync("orchestrator", "Send 32 sentences");
        await Cluster.UntilAsync(async () => await CompletedAsync() >= before + 32, "32 more answers");
        Assert.Equal(before + 32, await CompletedAsync());
        await tab.CheckQuietAsync();

        async Task<long> CompletedAsync() => (await Cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed);
    }

    [Fact]
    public async Task Traces_OneRequest_LeadsThroughBothServicesAndNoProbeIsOne()
    {
        var answer = await Cluster.AskAsync("a day to remember");
        await using var tab = await fixture.OpenAsync(DashboardPages.TracesWhere("lab.request_id", "equals", answer.RequestId));
        await tab.OpenOnlyTraceAsync("orchestrator: POST /new_request");
        // For a client's span with HTTP's attributes the dashboard has words of its own.
        string[] spans =
        [
            "orchestrator: POST /new_request", "orchestrator: queue", "orchestrator: (dispatch|HTTP POST 200)",
            $"{answer.Worker}: POST /run_model", $"{answer.Worker}: tokenize", $"{answer.Worker}: inference",
        ];
        await Expect(tab.Spans()).ToHaveCountAsync(spans.Length);
        for (var i = 0; i < spans.Length; i++) await Expect(tab.Spans().Nth(i)).ToHaveAccessibleNameAsync(new Regex($"^{spans[i]}$"));

        await tab.Spans().Nth(2).ClickAsync();
        await Expect(tab.SpanAttribute("Name")).ToContainTextAsync("dispatch");
        await Expect(tab.SpanAttribute("lab.request_id")).ToContainTextAsync(answer.RequestId);
        await tab.CheckQuietAsync();

        // What the services have told until now is there: so would be the probes by which the orchestrator got to know its workers.
        foreach (var (condition, probe) in ((string, string)[])[("equals", "GET"), ("contains", "/health"), ("contains", "/alive"), ("contains", "/info")])
        {
            await tab.Page.GotoAsync(DashboardPages.TracesWhere("trace.name", condition, probe));
            await Expect(tab.Page.GetByText("No traces found")).ToBeVisibleAsync();
        }
    }

    [Fact(Explicit = true)]
    public async Task Screenshots_ResourcesAndTrace_AreTakenAgain()
    {
        var waited = await AskUnderLoadAsync();
        await using (var tab = await fixture.OpenAsync("/", View.Desktop))
        {
            await Expect(tab.Page.GetByText($"Showing {Workers.Length + 3} resources")).ToBeVisibleAsync();
            foreach (var service in (string[])["orchestrator", .. Workers]) await Expect(tab.ResourceState(service)).ToHaveTextAsync("Running");
            await Screenshots.TakeAsync(tab, $"dashboard-resources-{View.Desktop.Name}");
        }

        // No higher than six spans need.
        await using (var tab = await fixture.OpenAsync(DashboardPages.TracesWhere("lab.request_id", "equals", waited.RequestId), View.Desktop with { Height = 440 }))
        {
            await tab.OpenOnlyTraceAsync("orchestrator: POST /new_request");
            await Expect(tab.Spans()).ToHaveCountAsync(6);
            // Away from the row below it, which would be marked.
            await tab.Page.Mouse.MoveAsync(0, 0);
            await Screenshots.TakeAsync(tab, $"dashboard-trace-{View.Desktop.Name}");
        }
    }

    // Of many at once, one that waited and then travelled alone: of these the one that the others slowed down least.
    private async Task<RequestAnswer> AskUnderLoadAsync()
    {
        const string Review = "I went in expecting very little and came out smiling. The story is simple, but it is told with so much warmth that I forgot the time, and the ending is as honest as it is funny.";
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            var own = new List<(TimeSpan Duration, RequestAnswer Answer)>();
            for (var i = 0; i < 50; i++)
            {
                var start = Stopwatch.GetTimestamp();
                var answer = await Cluster.AskAsync(Review);
                own.Add((Stopwatch.GetElapsedTime(start), answer));
            }

            return own;
        }));
        return answers.SelectMany(own => own).Where(one => one.Answer is { BatchSize: 1, QueueMs: >= 1 }).MinBy(one => one.Duration).Answer;
    }
}
