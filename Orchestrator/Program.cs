using Lab.Orchestrator;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Health;
using Microsoft.Extensions.Options;

// Whether it lives, not whether it has workers: starting an orchestrator anew because every worker is gone would drop its queue.
if (HealthVerb.IsAsked(args)) return HealthVerb.Run(HealthEndpoints.LivePath);

// A worker's answer is handled by the thread that hears of it, not handed to another: a tenth less for each request.
// Nothing here blocks such a thread, and the requests of clients are still the thread pool's. Read once, before the first socket.
const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
if (Environment.GetEnvironmentVariable(InlineCompletions) is null) Environment.SetEnvironmentVariable(InlineCompletions, "1");
await Rehearsal.RunAsync();
try
{
    if (await OrchestratorApp.Create(args).RunToEndAsync() is not { } failure) return Environment.ExitCode;
    await Console.Error.WriteLineAsync($"orchestrator: {failure}");
    return 1;
}
catch (Exception e) when (e is WorkerAddressException or CertificateException or JobStoreException or OptionsValidationException
    or InvalidOperationException { InnerException: FormatException })
{
    // Something that the person who configured it can mend: one line says what.
    await Console.Error.WriteLineAsync($"orchestrator: {e.Message}");
    return 1;
}
