using Microsoft.Extensions.Hosting;

namespace Lab.AppHost;

/// <summary>
/// Aspire leaves a process that has ended as it is. This starts it again: after a second, and after twice as long each time
/// up to half a minute, until it has run for a minute. What a person stops stays stopped.
/// </summary>
internal sealed partial class RestartAfterCrash(
    ResourceNotificationService notifications, ResourceCommandService commands, ResourceLoggerService logs, TimeProvider time, ILogger<RestartAfterCrash> logger)
    : BackgroundService
{
    private static readonly TimeSpan InitialDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaximumDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Stable = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            if (!change.Resource.TryGetLastAnnotation<Annotation>(out var service)) continue;
            var (before, state) = (service.State, change.Snapshot.State?.Text);
            if (state == before) continue;
            service.State = state;
            var (hadEnded, hasEnded) = (KnownResourceStates.TerminalStates.Contains(before), KnownResourceStates.TerminalStates.Contains(state));
            // One end may be told by two states.
            if (hadEnded && hasEnded) continue;
            service.Changes++;
            if (state == KnownResourceStates.Running) service.RunningSince = time.GetTimestamp();
            // A person's stop passes through Stopping; a crash does not.
            if (hasEnded && before is not null && before != KnownResourceStates.Stopping)
                _ = RestartAsync(service, change, stoppingToken);
        }
    }

    private async Task RestartAsync(Annotation service, ResourceEvent crash, CancellationToken stoppingToken)
    {
        var changes = service.Changes;
        if (service.RunningSince is { } since && time.GetElapsedTime(since) >= Stable) service.Restarts = 0;
        var delay = TimeSpan.FromTicks(Math.Min(MaximumDelay.Ticks, InitialDelay.Ticks << Math.Min(service.Restarts++, 10)));
        foreach (var log in (ILogger[])[logger, logs.GetLogger(crash.ResourceId)]) LogCrash(log, crash.Resource.Name, crash.Snapshot.ExitCode, delay.TotalSeconds);
        await notifications.PublishUpdateAsync(crash.Resource, crash.ResourceId, snapshot => snapshot with
        {
            Properties = snapshot.Properties.RemoveAll(property => property.Name == "Restarts").Add(new("Restarts", service.Restarts) { IsHighlighted = true }),
        });
        await Task.Delay(delay, time, stoppingToken);
        // A person may have been faster.
        if (service.Changes != changes) return;
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
        internal int Changes;
        internal int Restarts;
        internal long? RunningSince;
    }
}
