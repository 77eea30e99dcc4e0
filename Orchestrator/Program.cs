using Lab.Orchestrator;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Starts;

// Whether it lives, not whether it has workers: starting an orchestrator anew because every worker is gone would drop its queue.
if (HealthVerb.IsAsked(args)) return HealthVerb.Run(HealthEndpoints.LivePath);

// A worker's answer is handled by the thread that hears of it, not handed to another: a tenth less for each request.
// Nothing here blocks such a thread, and the requests of clients are still the thread pool's. Read once, before the first socket.
const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
if (Environment.GetEnvironmentVariable(InlineCompletions) is null) Environment.SetEnvironmentVariable(InlineCompletions, "1");
return await ServiceRun.RunAsync("orchestrator", () => OrchestratorApp.Create(args), prepare: Rehearsal.RunAsync);
