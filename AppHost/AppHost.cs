using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);

// One proxied address for eight replicas would leave the orchestrator nothing to choose from: the workers are
// eight resources with names and addresses of their own. `-- --WorkerCount=2` for a smaller machine.
var workers = Enumerable.Range(1, builder.Configuration.GetValue("WorkerCount", 8))
    .Select(number => builder
        .AddProject<Projects.Worker>($"worker-{number}", project => project.ExcludeLaunchProfile = true)
        .WithHttpEndpoint()
        .WithHttpHealthCheck("/health")
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName)
        .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
        .WithEnvironment("ORT_DISABLE_TELEMETRY", "1"))
    .ToList();

var orchestrator = builder
    .AddProject<Projects.Orchestrator>("orchestrator", project => project.ExcludeLaunchProfile = true)
    .WithHttpEndpoint(port: builder.Configuration.GetValue("OrchestratorPort", 8080))
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health")
    .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
    .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName);

foreach (var worker in workers)
    orchestrator.WithReference(worker).WaitFor(worker);

builder.Build().Run();
