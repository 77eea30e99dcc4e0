using Microsoft.AspNetCore.Components;

namespace Lab.Orchestrator.ClusterPage.Parts;

/// <summary>
/// A part that is drawn anew only if what it shows has changed: of a page that is told of everything once a second most
/// parts look as they did.
/// </summary>
public abstract class Drawn : ComponentBase
{
    private object? _drawn;
    private bool _touched;

    /// <summary>What the part shows; equal values look the same.</summary>
    private protected abstract object Shown { get; }

    /// <inheritdoc/>
    protected sealed override bool ShouldRender()
    {
        var shown = Shown;
        if (!_touched && shown.Equals(_drawn)) return false;
        _drawn = shown;
        _touched = false;
        return true;
    }

    /// <summary>Says that something else than its parameters has changed.</summary>
    private protected void Touch() => _touched = true;
}
