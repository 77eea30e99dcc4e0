using Lab.AppHost;

ServiceRun.TellFailures("apphost");
var builder = DistributedApplication.CreateBuilder(args);
builder.Services.SilenceFailedStart();
if (LabParameters.Read(builder) is not { } parameters) return 1;

// One proxied address for eight replicas would leave the orchestrator nothing to choose from: the workers are
// eight resources with names and addresses of their own.
var workers = Enumerable.Range(1, parameters.WorkerCount)
    .Select(number => builder
        .AddProject<Projects.Worker>($"worker-{number}", project => project.ExcludeLaunchProfile = true)
        .WithIconName("BrainCircuit")
        .WithHttpEndpoint(isProxied: false)
        .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ($"{url.Url}/info", "Info"))
        .AsService()
        .WithEnvironment("Worker__ModelDirectory", parameters.ModelDirectory)
        // As in the worker's image: 2 MB of garbage are enough for a process that makes so little of it.
        .WithEnvironment("DOTNET_GCgen0size", "0x200000"))
    .ToList();

var orchestrator = builder
    .AddProject<Projects.Orchestrator>("orchestrator", project => project.ExcludeLaunchProfile = true)
    .WithIconName("ArrowRouting").WithHttpEndpoint(port: parameters.OrchestratorPort, isProxied: false)
    .WithExternalHttpEndpoints()
    // As in its image: what requests and their telemetry leave behind is collected while it is young.
    .WithEnvironment("DOTNET_GCgen0size", "0x1000000")
    .WithUrlForEndpoint("http", url => url.DisplayText = "Cluster page")
    .WithUrlForEndpoint("http", _ => new() { Url = "/scalar", DisplayText = "API" })
    .AsService().WithHttpCommand("/predict", "Send 32 sentences", "http", "burst", parameters.Command("Flash", "Send 32 sentences at once, so that there is something to see",
        new { inputs = Enumerable.Repeat((string[][])[["I loved every minute of it"], ["A dull, lifeless mess"], ["A warm and funny story"], ["Terrible service, never again"]], 8).SelectMany(text => text) }));

// Nobody waits for the workers: the orchestrator gives work to each as soon as it is healthy.
foreach (var worker in workers)
    worker.WithParentRelationship(orchestrator.WithReference(worker))
        .WithHttpCommand($"/workers/{worker.Resource.Name}/drain", "Drain", () => orchestrator.GetEndpoint("http"), "drain",
            parameters.Command("Pause", "The worker finishes what it computes and gets no more."))
        .WithHttpCommand($"/workers/{worker.Resource.Name}/resume", "Resume", () => orchestrator.GetEndpoint("http"), "resume",
            parameters.Command("PlayCircle", "The worker gets work again."));

// Load, and a report of it: started by hand.
builder
    .AddProject<Projects.Bench>("bench", project => project.ExcludeLaunchProfile = true)
    .WithIconName("TopSpeed").AsProgram("run")
    .WithReference(orchestrator).WithEnvironment("LAB_API_KEY", parameters.Key);

// `--AWS:Profile=…` and `--AWS:Region=…`, else the SDK's own chain.
var aws = builder.AddAWSSDKConfig().WithSdkValidation(false);
if (builder.Configuration["AWS:Profile"] is { } profile) aws.WithProfile(profile);
if (builder.Configuration["AWS:Region"] is { } region) aws.WithRegion(region);

// Started by hand it shows what EC2 would get and what that costs; `aspire deploy` asks, and makes it.
builder
    .AddProject<Projects.Ec2Deployer>("ec2-deployer", project => project.ExcludeLaunchProfile = true)
    .WithIconName("CloudArrowUp").AsProgram("plan")
    .WithReference(aws).WithEc2Steps();

if (builder.ExecutionContext.IsRunMode) builder.Services.AddHostedService<RestartAfterCrash>();
builder.Build().Run();
return 0;
