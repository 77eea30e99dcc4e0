using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Starts;

/// <summary>
/// Runs a service from its process's first moment to its last. What keeps it from serving is told in one line on standard
/// error, and a stop signal is followed at any moment.
/// </summary>
/// <remarks>
/// The host stops when a background service fails, but then ends as if it had been asked to: whoever supervises the
/// process would take that for a wish. This tells the one from the other.
/// </remarks>
public static class ServiceRun
{
    /// <summary>The exit code of a service that could not serve, or did not end by a wish.</summary>
    public const int FailureExitCode = 1;

    /// <summary>Runs a service until it is told to stop, or fails.</summary>
    /// <param name="name">What the line begins with.</param>
    /// <param name="create">Puts the service together.</param>
    /// <param name="prepare">What is done before that; ends at once when its token is canceled.</param>
    /// <param name="failureOf">What else the service may have failed by, in one line; asked once it has stopped.</param>
    /// <returns>The process's exit code: 0 where it was told to stop, however early.</returns>
    public static async Task<int> RunAsync(string name, Func<WebApplication> create, Func<CancellationToken, Task>? prepare = null, Func<WebApplication, string?>? failureOf = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        using var signals = new StopSignals();
        WebApplication? app = null;
        string? failure = null;
        try
        {
            if (prepare is not null) await prepare(signals.Asked);
            app = create();
            failure = await app.ServeAsync(signals);
            failure = failureOf?.Invoke(app) ?? failure;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested || app?.Lifetime.ApplicationStopping.IsCancellationRequested is true)
        {
            // It was told to stop before it served.
        }
#pragma warning disable CA1031 // Whatever it is, who has started the service wants one line, and no trace of the program's calls.
        catch (Exception e) when (e is not HostAbortedException)
#pragma warning restore CA1031
        {
            // Whoever only wants to know how the host is put together aborts it, and waits for that exception.
            failure = StartFailure.Explain(e, app?.Configuration);
        }

        if (failure is not null)
        {
            await Console.Error.WriteLineAsync($"{name}: {failure}");
            signals.EndWithin(StopSignals.StartLimit, FailureExitCode);
        }

        await EndAsync(app);
        return failure is null ? Environment.ExitCode : FailureExitCode;
    }

    /// <summary>
    /// For a program whose host another library runs: tells in one line on standard error what nobody catches, and ends the
    /// process with <see cref="FailureExitCode"/>. Where a stop signal has come before, and that is all it tells of, with 0.
    /// </summary>
    /// <param name="name">What the line begins with.</param>
    public static void TellFailures(string name)
    {
        var isAsked = false;
        // Kept as long as the process; what becomes of the signal is others' to say.
        var registrations = Array.ConvertAll([PosixSignal.SIGTERM, PosixSignal.SIGINT], signal => PosixSignalRegistration.Create(signal, _ => Volatile.Write(ref isAsked, true)));
        AppDomain.CurrentDomain.UnhandledException += (_, thrown) =>
        {
            GC.KeepAlive(registrations);
            var failure = (Exception)thrown.ExceptionObject;
            if (Volatile.Read(ref isAsked) && failure.GetBaseException() is OperationCanceledException) Environment.Exit(0);
            Console.Error.WriteLine($"{name}: {StartFailure.Explain(failure, configuration: null)}");
            Environment.Exit(FailureExitCode);
        };
    }

    // Returns which background service failed and why, in one line; null where none did.
    private static async Task<string?> ServeAsync(this WebApplication app, StopSignals signals)
    {
        var services = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        string? failure = null;
        var serves = false;
        // Later they end because they are told to.
        app.Lifetime.ApplicationStopping.Register(() => failure = FailureOf(services, Volatile.Read(ref serves)));
        try
        {
            await app.StartAsync(signals.Asked);
            Volatile.Write(ref serves, true);
            signals.Serves(app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
            await app.WaitForShutdownAsync(signals.Asked);
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // It failed while the others were still being started.
        }

        return failure;
    }

    // What has begun ends in its order, also where the rest never began: what it uses is freed only then.
    private static async Task EndAsync(WebApplication? app)
    {
        if (app is null) return;
        try
        {
            if (!app.Lifetime.ApplicationStopped.IsCancellationRequested) await app.StopAsync();
            await app.DisposeAsync();
        }
#pragma warning disable CA1031 // The process ends; why has been told.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static string? FailureOf(List<BackgroundService> services, bool serves)
    {
        // A host that is told to stop while it starts cancels the services that it has started before anybody hears of it.
        var failed = services.Where(service => service.ExecuteTask is { IsFaulted: true } or { IsCanceled: true } && (serves || !IsToldTo(service.ExecuteTask)))
            .OrderBy(service => service.ExecuteTask!.IsFaulted ? 0 : 1)
            .FirstOrDefault();
        if (failed is null) return null;
        // One that is canceled by something of its own has ended all the same.
        var reason = failed.ExecuteTask!.Exception?.GetBaseException() is { } e ? $"{e.GetType().Name}: {e.Message}" : "it was canceled";
        return $"{failed.GetType().Name} failed and ended the service: {reason.ReplaceLineEndings(" ")}";
    }

    private static bool IsToldTo(Task ended)
    {
        if (ended.IsFaulted) return false;
        try
        {
            ended.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException e)
        {
            return e.CancellationToken.IsCancellationRequested;
        }

        return false;
    }
}
