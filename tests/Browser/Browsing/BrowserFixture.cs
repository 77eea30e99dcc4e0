using Microsoft.Playwright;

namespace Lab.Browser.Browsing;

/// <summary>One Chromium without a window, for all tests of a class; they skip where the machine has none.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly string[] Arguments =
    [
        // Chromium refuses its sandbox to root, and containers seldom have another user.
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
        // Nothing but the page under test is to be fetched.
        "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Where Chromium is; <c>null</c> where there is none.</summary>
    internal static string? Chromium { get; } = Array.Find(Places, File.Exists);

    /// <summary>Skips the test where there is no Chromium.</summary>
    internal static void SkipWithoutChromium() =>
        Assert.SkipWhen(Chromium is null, $"these tests need Chromium, at {string.Join(" or ", Places)} (Debian: apt-get install chromium)");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Chromium is null) return;
        Assertions.SetDefaultExpectTimeout(Tab.Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = Arguments });
    }

    /// <summary>Opens an empty tab in a session of its own. Without Chromium the test that asks is skipped.</summary>
    /// <param name="address">What relative addresses are relative to.</param>
    /// <param name="view">How large the window is, and whether the system is dark.</param>
    internal async Task<Tab> OpenAsync(Uri address, View? view = null)
    {
        SkipWithoutChromium();
        view ??= View.Desktop;
        var context = await _browser!.NewContextAsync(new()
        {
            BaseURL = address.ToString(),
            ViewportSize = new() { Width = view.Width, Height = view.Height },
            ColorScheme = view.Dark ? ColorScheme.Dark : ColorScheme.Light,
            // Some pages speak the language that the browser asks for.
            Locale = "en-US",
            IgnoreHTTPSErrors = true,
        });
        return new(context, await context.NewPageAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
