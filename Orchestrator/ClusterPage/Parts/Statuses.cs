using Microsoft.FluentUI.AspNetCore.Components;

namespace Lab.Orchestrator.ClusterPage.Parts;

/// <summary>How a worker's state is shown: by its word, a shape, and a colour.</summary>
internal static class Statuses
{
    /// <summary>The states and the shapes beside their words, for whoever does not tell the colours apart.</summary>
    public static IReadOnlyList<(string Status, string Shape)> All { get; } =
        [("free", "○"), ("busy", "●"), ("quarantined", "▲"), ("draining", "▼")];

    public static string Shape(string status) => All.First(pair => pair.Status == status).Shape;

    public static BadgeColor Colour(string status) => status switch
    {
        "free" => BadgeColor.Success,
        "busy" => BadgeColor.Brand,
        "quarantined" => BadgeColor.Danger,
        _ => BadgeColor.Warning,
    };
}
