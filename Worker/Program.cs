using Lab.ServiceDefaults.Health;
using Lab.Worker;
using Lab.Worker.ModelCommands;

if (args is ["model", ..]) return await ModelCommand.RunAsync(args);

if (HealthVerb.IsAsked(args)) return HealthVerb.Run(HealthEndpoints.ReadyPath);
return await WorkerApplication.ServeAsync(() => WorkerApplication.Create(args));
