using Microsoft.AspNetCore.Components;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>A page that shows what is new once a second, until its reader wants to look at something in peace.</summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _left = new();

    [Inject]
    private TimeProvider Time { get; set; } = null!;

    /// <summary>Whether the page follows what happens.</summary>
    protected bool IsLive { get; set; } = true;

    /// <summary>Cancelled when the reader leaves the page.</summary>
    protected CancellationToken Left => _left.Token;

    /// <summary>Reads what is to be shown.</summary>
    /// <returns>Whether it differs from what is shown.</returns>
    protected abstract bool Refresh();

    /// <inheritdoc/>
    protected override void OnParametersSet() => Refresh();

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender)
            return;
        using var timer = new PeriodicTimer(Interval, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_left.Token))
                if (IsLive && Refresh())
                    StateHasChanged();
        }
        catch (OperationCanceledException)
        {
            // The page is left.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Cancel();
        _left.Dispose();
        GC.SuppressFinalize(this);
    }
}
