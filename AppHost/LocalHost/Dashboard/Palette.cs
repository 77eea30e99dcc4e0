namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Gives every service a colour that it keeps: one of the style sheet's <c>c0</c> to <c>c9</c>.</summary>
internal static class Palette
{
    private const int Colours = 10;

    private static readonly List<string> Known = [];

    public static int Of(string service)
    {
        lock (Known)
        {
            if (Known.IndexOf(service) is >= 0 and var index)
                return index % Colours;
            Known.Add(service);
            return (Known.Count - 1) % Colours;
        }
    }
}
