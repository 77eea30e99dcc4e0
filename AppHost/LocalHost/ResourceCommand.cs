using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>A command of a resource.</summary>
internal sealed record ResourceCommand(
    string Name, string DisplayName, string? Description, Func<ExecuteCommandContext, Task<ExecuteCommandResult>> ExecuteAsync)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs it; whatever it throws is its failure.</summary>
    public async Task<ExecuteCommandResult> RunAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        try
        {
            return await ExecuteAsync(new ExecuteCommandContext { CancellationToken = limit.Token });
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return CommandResults.Failure(stop.IsCancellationRequested ? "given up" : $"no end within {Limit.TotalMinutes:0} minutes");
        }
#pragma warning disable CA1031 // It is the code of whoever wrote AppHost.cs: the user is told, and the dashboard goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return CommandResults.Failure(e.Message);
        }
    }
}
