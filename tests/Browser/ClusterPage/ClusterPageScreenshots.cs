using Lab.Browser.Browsing;
using Microsoft.Playwright;

namespace Lab.Browser.ClusterPage;

/// <summary>Pictures of the cluster page at work, made when asked for.</summary>
public sealed class ClusterPageScreenshots(PageFleet fleet) : IClassFixture<PageFleet>
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(40);

    private static readonly string[] Sentences =
    [
        "I loved every minute of it", "A dull, lifeless mess", "excellent product, works as advertised", "the worst meal of my life",
        "what a wonderful surprise", "boring from start to finish", "a warm and funny story", "a complete waste of time",
    ];

    [Fact(Explicit = true)]
    public async Task Take_DesktopAndPhone_LightAndDark_UnderLoad()
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await fleet.UntilFreeAsync();
        var load = LoadAsync(enough.Token);
        await Task.Delay(Busy, TestContext.Current.CancellationToken);
        await fleet.Workers[1].KillAsync();
        await using (var tab = await fleet.OpenAsync())
        {
            await LiveAsync(tab);
            await tab.Page.GetByLabel("Drain worker-3").ClickAsync();
            await tab.Page.GetByLabel("Resume worker-3").WaitForAsync();
        }

        foreach (var view in (View[])[View.Desktop, View.Desktop.InDark(), View.Phone, View.Phone.InDark()])
        {
            await using var tab = await fleet.OpenAsync(view);
            await LiveAsync(tab);
            await tab.Page.GetByRole(AriaRole.Textbox, new() { Name = "Sentence" }).FillAsync("A charming film with a clever script");
            await tab.Page.Keyboard.PressAsync("Enter");
            await tab.Page.Locator(".answer .label").WaitForAsync();
            await Screenshots.TakeAsync(tab, $"cluster-page-{view.Name}", whole: view.Width < View.Desktop.Width);
        }

        await enough.CancelAsync();
        await load;
    }

    private static Task LiveAsync(Tab tab) => tab.Page.Locator("[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });

    // Waves, so that the charts have a shape.
    private async Task LoadAsync(CancellationToken enough)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                var wave = (int)(20 + (18 * Math.Sin(i / 12.0)));
                await Task.WhenAll(Enumerable.Range(0, wave).Select(n => fleet.AskAsync(Sentences[(i + n) % Sentences.Length])));
                await Task.Delay(100, enough);
            }
        }
        catch (OperationCanceledException)
        {
            // The pictures are taken.
        }
    }
}
