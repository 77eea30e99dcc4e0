using Lab.ServiceDefaults.Health;
using Lab.Worker;

if (HealthVerb.IsAsked(args)) return HealthVerb.Run(HealthEndpoints.ReadyPath);
var app = WorkerApplication.Create(args);
return await WorkerApplication.ServeAsync(app);
