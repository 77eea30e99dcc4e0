using System.Runtime.InteropServices;
using Lab.Bench.Commands;

// The first Ctrl-C ends a run early and still reports it; the second ends the program as usual.
using var interrupted = new CancellationTokenSource();
void Interrupt(PosixSignalContext signal)
{
    signal.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
}

using var ctrlC = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
return await BenchApp.RunAsync(args, new(Console.Out, Console.Error, !Console.IsOutputRedirected, TimeProvider.System), interrupted.Token);
