namespace Lab.Browser.Browsing;

/// <summary>The browser itself, so that it is not the pages that are blamed for what it lacks.</summary>
public sealed class BrowserFixtureTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Open_DarkOrLight_ThePageIsTold(bool dark)
    {
        await using var tab = await browser.OpenAsync(new("about:blank"), dark ? View.Phone.InDark() : View.Phone);
        Assert.Equal(dark, await tab.Page.EvaluateAsync<bool>("matchMedia('(prefers-color-scheme: dark)').matches"));
        Assert.Equal(View.Phone.Width, await tab.Page.EvaluateAsync<int>("innerWidth"));
    }

    [Fact]
    public async Task CheckAccessibility_ButtonWithoutName_IsFound()
    {
        await using var tab = await browser.OpenAsync(new("about:blank"));
        await tab.Page.SetContentAsync("<!doctype html><html lang=en><title>a</title><main><button></button></main></html>");
        var failure = await Assert.ThrowsAnyAsync<Exception>(tab.CheckAccessibilityAsync);
        Assert.Contains("button-name", failure.Message, StringComparison.Ordinal);
    }
}
