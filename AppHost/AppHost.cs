#pragma warning disable ASPIREPIPELINES001 // Pipeline steps may still change: what `aspire deploy` runs has no other way in.
using System.Diagnostics;
using Aspire.Hosting.Pipelines;
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

// Load, and a report of it: started by hand.
builder
    .AddProject<Projects.Bench>("bench", project => project.ExcludeLaunchProfile = true)
    .WithArgs("run")
    .WithReference(orchestrator)
    .WithExplicitStart()
    .ExcludeFromManifest();

// `--AWS:Profile=…` and `--AWS:Region=…`, else the SDK's own chain.
var aws = builder.AddAWSSDKConfig().WithSdkValidation(false);
if (builder.Configuration["AWS:Profile"] is { } profile) aws.WithProfile(profile);
if (builder.Configuration["AWS:Region"] is { } region) aws.WithRegion(region);

// Costs money: started by hand, or by `aspire deploy`.
builder
    .AddProject<Projects.Ec2Deployer>("ec2-deployer", project => project.ExcludeLaunchProfile = true)
    .WithArgs("publish")
    .WithReference(aws)
    .WithExplicitStart()
    .ExcludeFromManifest()
    .WithPipelineStepFactory("publish-to-ec2", PublishAsync,
        dependsOn: [WellKnownPipelineSteps.DeployPrereq], requiredBy: [WellKnownPipelineSteps.Deploy], description: "Puts the cluster on EC2.");

builder.Build().Run();

static async Task PublishAsync(PipelineStepContext step)
{
    using var deployer = Process.Start("dotnet", ["run", "--project", new Projects.Ec2Deployer().ProjectPath, "--", "publish"]);
    await deployer.WaitForExitAsync(step.CancellationToken);
    if (deployer.ExitCode != 0) throw new InvalidOperationException($"Ec2Deployer ended with {deployer.ExitCode}.");
}
