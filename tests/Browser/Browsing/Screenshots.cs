using System.Reflection;

namespace Lab.Browser.Browsing;

/// <summary>
/// Pictures of the pages, in <c>tests/Browser/Screenshots</c>. They are made again by
/// <c>dotnet run --project tests/Browser -- --explicit only</c>.
/// </summary>
internal static class Screenshots
{
    private static readonly string Directory = Path.Combine(
        Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "BrowserTests").Value!,
        "Screenshots");

    /// <summary>Takes a picture of what the window shows, or of the whole page.</summary>
    public static async Task TakeAsync(Tab tab, string name, bool whole = false)
    {
        System.IO.Directory.CreateDirectory(Directory);
        await tab.Page.ScreenshotAsync(new() { Path = Path.Combine(Directory, $"{name}.png"), FullPage = whole });
    }
}
