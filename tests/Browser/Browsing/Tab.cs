using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Lab.Browser.Browsing;

/// <summary>A page in a session of its own, and what its console has complained of.</summary>
internal sealed class Tab : IAsyncDisposable
{
    /// <summary>How long a page may take for what is expected of it, in milliseconds: the machine may have other things to do.</summary>
    public const float Patience = 60_000;

    private static readonly string[] Serious = ["serious", "critical"];
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    public Tab(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.SetDefaultTimeout(Patience);
        page.Console += (_, message) =>
        {
            if (message.Type == "error") _complaints.Enqueue(message.Text);
        };
        page.PageError += (_, error) => _complaints.Enqueue(error);
    }

    public IPage Page { get; }

    /// <summary>What the page's scripts and policies have complained of so far.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Fails with what axe finds to keep people out who use a keyboard, a screen reader or large letters.</summary>
    public async Task CheckAccessibilityAsync()
    {
        var result = await Page.RunAxe();
        var found = result.Violations
            .Where(violation => Serious.Contains(violation.Impact))
            .SelectMany(violation => violation.Nodes.Select(node => $"{violation.Impact}: {violation.Id}: {violation.Help}\n    {node.Html}"));
        Assert.Empty(string.Join('\n', found));
    }

    /// <summary>Fails if anything is wider than the window.</summary>
    public async Task CheckFitsAsync() =>
        Assert.Equal(0, await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth"));

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
