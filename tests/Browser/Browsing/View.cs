namespace Lab.Browser.Browsing;

/// <summary>How large a window is, in CSS pixels, and whether the system is dark.</summary>
internal sealed record View(string Name, int Width, int Height, bool Dark = false)
{
    public static View Desktop { get; } = new("desktop", 1280, 900);

    public static View Phone { get; } = new("phone", 390, 844);

    public View InDark() => this with { Name = $"{Name}-dark", Dark = true };
}
