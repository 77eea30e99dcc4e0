using System.Runtime.InteropServices;

namespace Lab.AppHost.LocalHost;

/// <summary>
/// Turns the signals that end a program into two tokens. Only a second Ctrl-C hurries: <c>dotnet run</c> passes SIGTERM on,
/// so a SIGTERM to the whole group arrives twice.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _interrupts;

    public StopSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, Handle));
    }

    /// <summary>Somebody wants everything to end.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Somebody wants it at once.</summary>
    public CancellationToken Hurry => _hurry.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _stop.Dispose();
        _hurry.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Cancel();
        if (context.Signal == PosixSignal.SIGINT && Interlocked.Increment(ref _interrupts) > 1)
            _hurry.Cancel();
    }
}
