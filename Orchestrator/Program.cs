using Lab.Orchestrator;
using Lab.Orchestrator.Api;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults;
using Lab.ServiceDefaults.Health;

try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddOrchestrator();

    var app = builder.Build();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapNewRequest();
    app.MapWorkers();
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (e is WorkerAddressException or Microsoft.Extensions.Options.OptionsValidationException)
{
    await Console.Error.WriteLineAsync($"orchestrator: {e.Message}");
    return 1;
}
