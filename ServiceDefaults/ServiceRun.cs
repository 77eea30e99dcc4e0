using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lab.ServiceDefaults;

/// <summary>
/// Runs a service and tells why it ended. The host stops when a background service fails, but then ends as if it had
/// been asked to: whoever supervises the process would take that for a wish.
/// </summary>
public static class ServiceRun
{
    /// <summary>Runs a service until it stops.</summary>
    /// <returns>Which background service failed and why, in one line; <c>null</c> where none did.</returns>
    public static async Task<string?> RunToEndAsync(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var services = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        string? failure = null;
        // Later they end because they are told to.
        app.Lifetime.ApplicationStopping.Register(() => failure = services.Select(FailureOf).FirstOrDefault(reason => reason is not null));
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // It failed while the others were still being started.
        }

        return failure;
    }

    private static string? FailureOf(BackgroundService service)
    {
        if (service.ExecuteTask is not { } task) return null;
        // One that is canceled by something of its own has ended all the same.
        var reason = task.IsCanceled ? "it was canceled" : task.Exception?.GetBaseException() is { } e ? $"{e.GetType().Name}: {e.Message}" : null;
        return reason is null ? null : string.Create(CultureInfo.InvariantCulture, $"{service.GetType().Name} failed and ended the service: {reason.ReplaceLineEndings(" ")}");
    }
}
