using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Microsoft.Playwright;

namespace Lab.Browser.Dashboard;

/// <summary>LocalHost's dashboard of a running cluster, used as its users use it.</summary>
public sealed class DashboardTests(BrowserFixture browser, DashboardFixture fixture) : IClassFixture<BrowserFixture>, IClassFixture<DashboardFixture>
{
    private const float Patience = 20_000;

    private RunningCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Traces_OneRequest_WaterfallLeadsThroughBothServices()
    {
        var answer = await Cluster.AskAsync("a day to remember");
        await using var tab = await OpenAsync("/traces");

        await SearchBox(tab).FillAsync(answer.RequestId);
        var link = tab.Page.Locator("td a").First;
        await Assertions.Expect(tab.Page.Locator("td a")).ToHaveCountAsync(1, new() { Timeout = Patience });
        await link.ClickAsync();

        var spans = tab.Page.Locator(".waterfall summary .what");
        await Assertions.Expect(spans).ToHaveTextAsync(
            ["orchestrator POST /new_request", "orchestrator queue", "orchestrator dispatch", $"{answer.Worker} POST /run_model", $"{answer.Worker} tokenize", $"{answer.Worker} inference"],
            new() { Timeout = Patience });
        await spans.Nth(2).ClickAsync();
        await Assertions.Expect(tab.Page.Locator("details[open] dl")).ToContainTextAsync(answer.RequestId);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Resources_StopAndStart_EndsTheProcessAndBringsItBack()
    {
        await using var tab = await OpenAsync("/");
        var row = tab.Page.Locator("tr", new() { HasText = "worker-2" });
        await Assertions.Expect(row).ToContainTextAsync("Running, healthy", new() { Timeout = Patience });
        var before = Cluster.Processes.PidOf("worker-2");

        await Button(tab, "Stop worker-2").ClickAsync();
        await Assertions.Expect(row).ToContainTextAsync("Stopped", new() { Timeout = Patience });
        Assert.DoesNotContain(Cluster.Processes.All(), process => process.Service == "worker-2");

        await Button(tab, "Start worker-2").ClickAsync();
        await Assertions.Expect(row).ToContainTextAsync("Running, healthy", new() { Timeout = Patience });
        Assert.NotEqual(before, Cluster.Processes.PidOf("worker-2"));
        await Cluster.UntilFreeAsync(2);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Resources_CommandsOfAppHost_AreRun()
    {
        await using var tab = await OpenAsync("/");

        await Button(tab, "Drain worker-1").ClickAsync();
        await SaysAsync("Drain: worker-1 – done");
        Assert.Equal("draining", (await Cluster.GetWorkersAsync())["worker-1"].Status);
        await Button(tab, "Resume worker-1").ClickAsync();
        await SaysAsync("Resume: worker-1 – done");
        await Cluster.UntilFreeAsync(2);
        await Button(tab, "Send 200 sentences orchestrator").ClickAsync();
        await SaysAsync("200 requests answered: 200 × 200");
        Assert.True((await Cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed) >= 200);

        Task SaysAsync(string text) => Assertions.Expect(tab.Page.Locator("[role=status]")).ToContainTextAsync(text, new() { Timeout = Patience });
    }

    [Fact]
    public async Task Logs_SearchAndResource_LeaveTheLinesThatFit()
    {
        await using var tab = await OpenAsync("/logs");
        var lines = tab.Page.Locator(".console > div > div");

        await SearchBox(tab).FillAsync("IS HEALTHY");
        await Assertions.Expect(tab.Page.Locator("mark").First).ToHaveTextAsync("is healthy", new() { Timeout = Patience });
        Assert.All(await lines.AllInnerTextsAsync(), line => Assert.Contains("is healthy", line, StringComparison.Ordinal));

        await tab.Page.GotoAsync("/logs/worker-1");
        await Assertions.Expect(lines.First).ToContainTextAsync("ModelHost", new() { Timeout = Patience });
        Assert.DoesNotContain("orchestrator", await tab.Page.Locator(".console").InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_AfterRequests_ShowLastValuesAndChart()
    {
        await Cluster.AskAsync("count me");
        await using var tab = await OpenAsync("/metrics/orchestrator");

        var requests = tab.Page.GetByLabel("lab.requests", new() { Exact = true });
        await Assertions.Expect(requests).ToContainTextAsync("outcome=answered", new() { Timeout = Patience });
        await Assertions.Expect(requests.Locator("path.c0")).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M.+L"), new() { Timeout = Patience });
    }

    [Theory]
    [InlineData("/", false)]
    [InlineData("/logs", true)]
    [InlineData("/traces", true)]
    [InlineData("/metrics", false)]
    public async Task Page_PhoneInLightOrDark_FitsAndIsOpenToAll(string path, bool dark)
    {
        await Cluster.AskAsync("for everybody");
        await using var tab = await OpenAsync(path, dark ? View.Phone.InDark() : View.Phone);
        await tab.CheckFitsAsync();
        await tab.CheckAccessibilityAsync();
        if (path != "/traces") return;

        await tab.Page.Locator("td a").First.ClickAsync();
        await tab.Page.Locator(".waterfall summary").First.ClickAsync();
        await tab.CheckFitsAsync();
        await tab.CheckAccessibilityAsync();
    }

    [Fact(Explicit = true)]
    public async Task Screenshots_AllPages_AreTakenAgain()
    {
        using var enough = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, 6).Select(_ => AskUntilAsync(enough.Token)));
        await Task.Delay(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        foreach (var view in (View[])[View.Desktop, View.Desktop.InDark(), View.Phone, View.Phone.InDark()])
        {
            await using var tab = await browser.OpenAsync(fixture.Address, view);
            foreach (var (name, path) in ((string, string)[])[("resources", "/"), ("logs", "/logs"), ("traces", "/traces"), ("metrics", "/metrics/orchestrator")])
                await TakeAsync(tab, name, path, view);
            await tab.Page.GotoAsync("/traces");
            await SearchBox(tab).FillAsync("inference");
            await Assertions.Expect(tab.Page.Locator("td", new() { HasText = "worker" }).First).ToBeAttachedAsync(new() { Timeout = Patience });
            await tab.Page.Locator("td a").First.ClickAsync();
            await tab.Page.Locator(".waterfall summary").Nth(3).ClickAsync();
            await Screenshots.TakeAsync(tab, $"dashboard-trace-{view.Name}");
        }

        await enough.CancelAsync();
        await load;
    }

    private static ILocator Button(Tab tab, string label) => tab.Page.Locator($"fluent-button[aria-label='{label}']");

    // The component's own input, in its shadow; the component around it bears the same placeholder.
    private static ILocator SearchBox(Tab tab) => tab.Page.Locator("input[placeholder^='Search']");

    private static async Task TakeAsync(Tab tab, string name, string path, View view)
    {
        await tab.Page.GotoAsync(path);
        await Assertions.Expect(tab.Page.Locator("h1")).ToBeVisibleAsync(new() { Timeout = Patience });
        // What moves when a page opens has come to rest after this.
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        await Screenshots.TakeAsync(tab, $"dashboard-{name}-{view.Name}");
    }

    private async Task AskUntilAsync(CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await Cluster.AskAsync("I loved every minute of it");
            await Task.Delay(Random.Shared.Next(150), CancellationToken.None);
        }
    }

    private async Task<Tab> OpenAsync(string path, View? view = null)
    {
        var tab = await browser.OpenAsync(fixture.Address, view);
        await tab.Page.GotoAsync(path);
        await Assertions.Expect(tab.Page.Locator("h1")).ToBeVisibleAsync(new() { Timeout = Patience });
        return tab;
    }
}
