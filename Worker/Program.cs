using Lab.ServiceDefaults.Health;
using Lab.Worker;
using Lab.Worker.ModelCommands;
using Microsoft.Extensions.Options;

if (args is ["model", ..]) return await ModelCommand.RunAsync(args);

if (HealthVerb.IsAsked(args)) return HealthVerb.Run(HealthEndpoints.ReadyPath);
try
{
    return await WorkerApplication.ServeAsync(WorkerApplication.Create(args));
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return WorkerApplication.FailureExitCode;
}
