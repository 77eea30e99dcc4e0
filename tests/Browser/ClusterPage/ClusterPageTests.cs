using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lab.Browser.ClusterPage;

/// <summary>The cluster page of a running cluster, used as people use it.</summary>
public sealed class ClusterPageTests(PageFleet fleet) : IClassFixture<PageFleet>
{
    private static readonly LocatorAssertionsToBeVisibleOptions Patiently = new() { Timeout = 30_000 };

    [Theory]
    [InlineData("I loved every minute of it", "POSITIVE")]
    [InlineData("What a waste of time and money", "NEGATIVE")]
    public async Task Sentence_TypedAndSent_LabelAndPathAppear(string sentence, string label)
    {
        await using var tab = await fleet.OpenAsync();
        await ConnectedAsync(tab);
        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Sentence" }).FillAsync(sentence);
        await tab.Page.Keyboard.PressAsync("Enter");
        var answer = tab.Page.Locator(".answer");
        await Expect(answer.Locator(".label")).ToHaveTextAsync(label);
        await Expect(answer).ToContainTextAsync(sentence);
        await Expect(answer).ToContainTextAsync("inference");
        await Expect(answer).ToContainTextAsync("1st attempt");
        await Expect(answer.Locator(".path")).ToBeVisibleAsync();

        // It went the way of every request: it is among the last ones.
        await Expect(tab.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = sentence }).First).ToContainTextAsync(label);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task Sentence_Empty_IsRefusedInWords()
    {
        await using var tab = await fleet.OpenAsync();
        await ConnectedAsync(tab);
        await tab.Page.GetByText("Classify", new() { Exact = true }).ClickAsync();
        await Expect(tab.Page.Locator(".answer")).ToContainTextAsync("The sentence is empty.");
    }

    [Fact]
    public async Task Worker_Killed_TileTurnsQuarantinedAndBack()
    {
        await fleet.UntilFreeAsync();
        await using var tab = await fleet.OpenAsync();
        var tile = TileOf(tab, 1);
        await Expect(tile).ToContainTextAsync("free");
        await fleet.Workers[1].KillAsync();
        // Found out by the next request that it gets, or by a probe.
        for (var i = 0; i < 6; i++) await fleet.AskAsync("one more");
        await Expect(tile.GetByText("quarantined")).ToBeVisibleAsync(Patiently);
        await Expect(TileOf(tab, 0)).ToContainTextAsync("free");

        await fleet.StartAsync(fleet.Workers[1]);
        await Expect(tile.GetByText("free")).ToBeVisibleAsync(Patiently);
        await fleet.UntilFreeAsync();
    }

    [Fact]
    public async Task Worker_DrainedAndResumed_TileAndTableSaySo()
    {
        await fleet.UntilFreeAsync();
        await using var tab = await fleet.OpenAsync();
        await ConnectedAsync(tab);
        var tile = TileOf(tab, 2);
        await tab.Page.GetByLabel("Drain worker-3").ClickAsync();
        await Expect(tile.GetByText("draining")).ToBeVisibleAsync();
        await fleet.UntilFreeAsync(PageFleet.WorkerCount - 1);
        await tab.Page.GetByLabel("Resume worker-3").ClickAsync();
        await Expect(tile.GetByText("free")).ToBeVisibleAsync();
        await fleet.UntilFreeAsync();
    }

    [Fact]
    public async Task Requests_Filtered_OnlyMatchingRemain()
    {
        await fleet.UntilFreeAsync();
        for (var i = 0; i < 9; i++) await fleet.AskAsync($"sentence {i}");
        await using var tab = await fleet.OpenAsync();
        await ConnectedAsync(tab);
        var rows = tab.Page.Locator("tbody tr");
        await Expect(rows.Filter(new() { HasText = "worker-1" }).First).ToBeVisibleAsync();
        await Expect(rows.Filter(new() { HasText = "worker-2" }).First).ToBeVisibleAsync();

        await tab.Page.GetByRole(AriaRole.Combobox, new() { Name = "Worker" }).ClickAsync();
        await tab.Page.Locator("fluent-option").Filter(new() { HasText = "worker-2" }).ClickAsync();
        await Expect(rows.Filter(new() { HasText = "worker-1" })).ToHaveCountAsync(0);
        await Expect(rows.Filter(new() { HasText = "worker-2" }).First).ToBeVisibleAsync();

        await tab.Page.GetByLabel("Failures only").ClickAsync();
        await Expect(rows.Filter(new() { HasText = "sentence" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Orchestrator_Restarted_PageSaysSoAndRecovers()
    {
        await using var tab = await fleet.OpenAsync();
        await ConnectedAsync(tab);
        await fleet.Orchestrator.KillAsync();
        await Expect(tab.Page.GetByText("Reconnecting …")).ToBeVisibleAsync(Patiently);
        await fleet.StartAsync(fleet.Orchestrator);
        await Expect(tab.Page.GetByText("Reconnecting …")).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await ConnectedAsync(tab);
        await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Sentence" }).FillAsync("back again, and well");
        await tab.Page.Keyboard.PressAsync("Enter");
        await Expect(tab.Page.Locator(".answer .label")).ToHaveTextAsync("POSITIVE", new() { Timeout = 30_000 });
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Page_OnDesktopAndPhone_FitsAndIsAccessible(bool phone, bool dark)
    {
        var view = phone ? View.Phone : View.Desktop;
        await using var tab = await fleet.OpenAsync(dark ? view.InDark() : view);
        await ConnectedAsync(tab);
        for (var i = 0; i < 3; i++) await fleet.AskAsync($"a sentence that is long enough for more than one line of a phone, which is not wide, number {i}");
        await Expect(tab.Page.GetByText("number 2").First).ToBeVisibleAsync();
        await tab.CheckFitsAsync();
        await tab.CheckAccessibilityAsync();
        Assert.Empty(tab.Complaints);
    }

    private static ILocator TileOf(Tab tab, int worker) => tab.Page.Locator(".tile").Filter(new() { HasText = PageFleet.NameOf(worker) });

    // What is pressed before the page has its connection is lost.
    private static Task ConnectedAsync(Tab tab) => tab.Page.Locator("[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });
}
