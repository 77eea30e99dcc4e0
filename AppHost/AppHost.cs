#pragma warning disable ASPIREPIPELINES001 // Pipeline steps may still change: what `aspire deploy` runs has no other way in.
using System.Diagnostics;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;

var builder = DistributedApplication.CreateBuilder(args);

// Where keys are set (`Access__AdminKeys__root=…` in the environment, which the services get too), commands and load need one.
var key = builder.Configuration.GetSection("Access:AdminKeys").GetChildren().Select(admin => admin.Value)
    .FirstOrDefault(value => value is { Length: > 0 } && !value.StartsWith("sha256:", StringComparison.Ordinal));

// One proxied address for eight replicas would leave the orchestrator nothing to choose from: the workers are
// eight resources with names and addresses of their own. `-- --WorkerCount=2` for a smaller machine.
var workers = Enumerable.Range(1, builder.Configuration.GetValue("WorkerCount", 8))
    .Select(number => builder
        .AddProject<Projects.Worker>($"worker-{number}", project => project.ExcludeLaunchProfile = true)
        .WithHttpEndpoint()
        .WithHttpHealthCheck("/health")
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName)
        .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
        .WithEnvironment("ORT_DISABLE_TELEMETRY", "1")
        // As in the worker's image: 2 MB of garbage are enough for a process that makes so little of it.
        .WithEnvironment("DOTNET_GCgen0size", "0x200000"))
    .ToList();

var orchestrator = builder
    .AddProject<Projects.Orchestrator>("orchestrator", project => project.ExcludeLaunchProfile = true)
    .WithHttpEndpoint(port: builder.Configuration.GetValue("OrchestratorPort", 8080))
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health")
    .WithEnvironment("Logging__LogLevel__Microsoft.Hosting.Lifetime", "Warning")
    .WithEnvironment("ASPNETCORE_ENVIRONMENT", builder.Environment.EnvironmentName)
    // As in its image: what requests and their telemetry leave behind is collected while it is young.
    .WithEnvironment("DOTNET_GCgen0size", "0x1000000")
    .WithUrlForEndpoint("http", url => url.DisplayText = "Cluster page")
    .WithUrlForEndpoint("http", _ => new() { Url = "/scalar", DisplayText = "API" })
    .WithUrlForEndpoint("http", _ => new() { Url = "/metrics", DisplayText = "Metrics" });
orchestrator.WithCommand("burst", "Send 200 sentences", run => SendBurstAsync(orchestrator.GetEndpoint("http").Url, key, run.CancellationToken),
    new CommandOptions { Description = "Sends 200 requests at once, so that there is something to see." });

foreach (var worker in workers)
{
    orchestrator.WithReference(worker).WaitFor(worker);
    worker
        .WithHttpCommand($"/workers/{worker.Resource.Name}/drain", "Drain", () => orchestrator.GetEndpoint("http"), "drain",
            new() { Description = "The worker finishes what it computes and gets no more.", PrepareRequest = AuthorizeAsync })
        .WithHttpCommand($"/workers/{worker.Resource.Name}/resume", "Resume", () => orchestrator.GetEndpoint("http"), "resume",
            new() { Description = "The worker gets work again.", PrepareRequest = AuthorizeAsync });
}

// Load, and a report of it: started by hand.
var bench = builder
    .AddProject<Projects.Bench>("bench", project => project.ExcludeLaunchProfile = true)
    .WithArgs("run")
    .WithReference(orchestrator)
    .WithExplicitStart()
    .ExcludeFromManifest();
if (key is not null) bench.WithEnvironment("LAB_API_KEY", key);

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

Task AuthorizeAsync(HttpCommandRequestContext context)
{
    if (key is not null) context.Request.Headers.Authorization = new("Bearer", key);
    return Task.CompletedTask;
}

static async Task<ExecuteCommandResult> SendBurstAsync(string address, string? key, CancellationToken cancellation)
{
    string[] sentences = ["I loved every minute of it", "A dull, lifeless mess", "A warm and funny story", "Terrible service, never again"];
    using var client = new HttpClient { BaseAddress = new(address) };
    if (key is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
    var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async number =>
    {
        using var text = new StringContent(sentences[number % sentences.Length]);
        using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), text, cancellation);
        return (int)answer.StatusCode;
    }));
    var told = string.Join(", ", statuses.CountBy(status => status).Select(count => $"{count.Value} × {count.Key}"));
    return statuses.All(status => status == 200) ? CommandResults.Success($"200 requests answered: {told}") : CommandResults.Failure($"Statuses: {told}");
}

static async Task PublishAsync(PipelineStepContext step)
{
    using var deployer = Process.Start("dotnet", ["run", "--project", new Projects.Ec2Deployer().ProjectPath, "--", "publish"]);
    await deployer.WaitForExitAsync(step.CancellationToken);
    if (deployer.ExitCode != 0) throw new InvalidOperationException($"Ec2Deployer ended with {deployer.ExitCode}.");
}
