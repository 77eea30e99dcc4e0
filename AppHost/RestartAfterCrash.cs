namespace Lab.AppHost;

/// <summary>
/// Aspire leaves a process that has ended as it is. This starts it again: after a second, and after twice as long each time
/// up to half a minute, until it has run for a minute. What a person stops stays stopped.
/// </summary>
internal sealed partial class RestartAfterCrash(
    ResourceNotificationService notifications, ResourceCommandService commands, ResourceLoggerService logs, TimeProvider time, ILogger<RestartAfterCrash> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            if (!change.Resource.TryGetLastAnnotation<Annotation>(out var service)) continue;
            var (before, state) = (service.State, change.Snapshot.State?.Text);
            service.State = state;
            var hasEnded = KnownResourceStates.TerminalStates.Contains(state);
            // One end may be told by two states.
            if (state == before || (hasEnded && KnownResourceStates.TerminalStates.Contains(before))) continue;
            // A person's stop passes through Stopping; a crash does not.
            if (hasEnded && before is not null && before != KnownResourceStates.Stopping) _ = RestartAsync(service, change, stoppingToken);
        }
    }

    private async Task RestartAsync(Annotation service, ResourceEvent crash, CancellationToken stoppingToken)
    {
        if (time.GetUtcNow().UtcDateTime - crash.Snapshot.StartTimeStamp >= TimeSpan.FromMinutes(1)) service.Restarts = 0;
        var delay = TimeSpan.FromSeconds(Math.Min(30, 1 << Math.Min(service.Restarts++, 5)));
        foreach (var log in (ILogger[])[logger, logs.GetLogger(crash.ResourceId)]) LogCrash(log, crash.Resource.Name, crash.Snapshot.ExitCode, delay.TotalSeconds);
        var restarts = new ResourcePropertySnapshot("Restarts", service.Restarts) { IsHighlighted = true };
        await notifications.PublishUpdateAsync(crash.Resource, crash.ResourceId, snapshot => snapshot with { Properties = [.. snapshot.Properties.Where(property => property.Name != restarts.Name), restarts] });
        await Task.Delay(delay, time, stoppingToken);
        // A person may have been faster.
        if (!KnownResourceStates.TerminalStates.Contains(service.State)) return;
        var result = await commands.ExecuteCommandAsync(crash.ResourceId, KnownResourceCommands.StartCommand, stoppingToken);
        if (!result.Success) LogNotStarted(logger, crash.Resource.Name, result.Message);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Resource} has ended with exit code {ExitCode} and is started again in {Seconds} s")]
    private static partial void LogCrash(ILogger logger, string resource, int? exitCode, double seconds);

    [LoggerMessage(2, LogLevel.Error, "{Resource} was not started again: {Reason}")]
    private static partial void LogNotStarted(ILogger logger, string resource, string? reason);

    /// <summary>Marks a resource that is started again, and remembers what happened to it.</summary>
    internal sealed class Annotation : IResourceAnnotation
    {
        internal string? State;
        internal int Restarts;
    }
}
