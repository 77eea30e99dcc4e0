using System.Text.RegularExpressions;
using Lab.Browser.Browsing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lab.Browser.Dashboard;

/// <summary>Aspire's dashboard in the words of its users: where things are on its pages, and what one does there.</summary>
internal static class DashboardPages
{
    /// <summary>The names of all resources that the table shows, from above to below.</summary>
    public static ILocator ResourceNames(this Tab tab) => tab.Page.Locator(".resource-name-text");

    /// <summary>A resource's row.</summary>
    public static ILocator ResourceRow(this Tab tab, string resource) =>
        tab.Page.GetByRole(AriaRole.Row).Filter(new() { Has = tab.Page.GetByText(resource, new() { Exact = true }) });

    /// <summary>What a resource's row says of its state.</summary>
    public static ILocator ResourceState(this Tab tab, string resource) => tab.ResourceRow(resource).GetByRole(AriaRole.Gridcell).Nth(1);

    /// <summary>Runs a command from a resource's menu, and waits until the dashboard says that it has succeeded.</summary>
    public static async Task RunCommandAsync(this Tab tab, string resource, string command)
    {
        await tab.ResourceRow(resource).GetByRole(AriaRole.Button, new() { Name = "Actions", Exact = true }).ClickAsync();
        await tab.Page.GetByRole(AriaRole.Menuitem, new() { Name = command, Exact = true }).ClickAsync();
        // For a moment there are two: the notice that tells of the start becomes the one that tells of the end.
        await Expect(tab.Page.GetByText($"{resource} \"{command}\" succeeded").Filter(new() { Visible = true }).First).ToBeVisibleAsync();
    }

    /// <summary>The address of the traces in which a span's attribute, or one of the dashboard's own fields, is as asked for.</summary>
    /// <param name="field">An attribute, or <c>trace.name</c> for the name of a span.</param>
    /// <param name="condition"><c>equals</c> or <c>contains</c>.</param>
    /// <param name="value">What it is compared with.</param>
    public static string TracesWhere(string field, string condition, string value) =>
        $"/traces?filters={Uri.EscapeDataString($"{field}:{condition}:{value}")}";

    /// <summary>Opens a trace from the list of traces that shows nothing else.</summary>
    public static async Task OpenOnlyTraceAsync(this Tab tab, string name)
    {
        await Expect(tab.Page.GetByText("Showing 1 trace")).ToBeVisibleAsync();
        await tab.Page.GetByRole(AriaRole.Gridcell).GetByText(name).ClickAsync();
        await Expect(tab.Page).ToHaveURLAsync(new Regex("/traces/detail/[0-9a-f]{32}"));
    }

    /// <summary>The cells that name a trace's spans and their services, from above to below.</summary>
    public static ILocator Spans(this Tab tab) => tab.Page.GetByRole(AriaRole.Region, new() { Name = "Trace detail" }).Locator("[role=gridcell]:first-child");

    /// <summary>What the page says of the span that has been clicked.</summary>
    public static ILocator SpanAttribute(this Tab tab, string name) =>
        tab.Page.GetByRole(AriaRole.Row).Filter(new() { Has = tab.Page.GetByText(name, new() { Exact = true }) }).GetByRole(AriaRole.Gridcell).Nth(1);

    /// <summary>Fails with what the dashboard warns of: in a bar above the page, in a notice, or in the browser's console.</summary>
    public static async Task CheckQuietAsync(this Tab tab)
    {
        await Expect(tab.Page.Locator(".messagebar-container")).ToHaveTextAsync("");
        // A notice goes by itself: to wait until there is none would be to overlook it.
        Assert.Equal(0, await tab.Page.Locator("[intent=error], [intent=warning]").CountAsync());
        Assert.Empty(tab.Complaints);
    }
}
