#pragma warning disable ASPIREPIPELINES001, ASPIREPIPELINES004, ASPIREINTERACTION001 // Pipelines may still change.
using System.Diagnostics;
using System.Text.Json;

namespace Lab.AppHost;

/// <summary>
/// <c>aspire publish</c>, <c>deploy</c> and <c>destroy</c> by the deployer, whose steps are shown as tasks. Its options are configuration:
/// <c>Ec2:hosts=2</c> is <c>--hosts 2</c>, <c>Ec2:http_from</c> (which shells can export) <c>--http-from</c>; <c>Ec2:yes=true</c> answers the question where nobody can be asked.
/// </summary>
internal static class Ec2Pipeline
{
    public static IResourceBuilder<ProjectResource> WithEc2Steps(this IResourceBuilder<ProjectResource> deployer) => deployer
        .WithPipelineStepFactory("publish-ec2-plan", PublishAsync, requiredBy: [WellKnownPipelineSteps.Publish], description: "Writes what a deployment to EC2 would make.")
        .WithPipelineStepFactory("plan-ec2", PlanAsync, dependsOn: [WellKnownPipelineSteps.DeployPrereq], description: "Shows what a deployment to EC2 makes and costs, and asks.")
        .WithPipelineStepFactory("deploy-ec2", step => RunAsync(step, "publish", "--yes"), dependsOn: ["plan-ec2"], requiredBy: [WellKnownPipelineSteps.Deploy], description: "Puts the cluster on EC2.")
        .WithPipelineStepFactory("destroy-ec2", DestroyAsync, dependsOn: [WellKnownPipelineSteps.DestroyPrereq], requiredBy: [WellKnownPipelineSteps.Destroy], description: "Removes everything from EC2.");

    private static async Task PublishAsync(PipelineStepContext step)
    {
        var directory = step.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
        await RunAsync(step, "plan", "--output", directory);
        step.Summary.Add("Plan for EC2", directory);
    }

    private static async Task PlanAsync(PipelineStepContext step)
    {
        await RunAsync(step, "plan");
        await AskAsync(step, "Deploy", "Make this, at this price?");
    }

    private static async Task DestroyAsync(PipelineStepContext step)
    {
        if (!step.Services.GetRequiredService<IOptions<PipelineOptions>>().Value.SkipConfirmation)
            await AskAsync(step, "Destroy", "Remove every host, disk, security group and key pair of the deployment from EC2?");
        await RunAsync(step, "destroy", "--yes");
    }

    private static async Task AskAsync(PipelineStepContext step, string verb, string question)
    {
        if (step.Services.GetRequiredService<IConfiguration>().GetValue("Ec2:yes", false)) return;
        var interaction = step.Services.GetRequiredService<IInteractionService>();
        if (!interaction.IsAvailable) throw new InvalidOperationException("Nobody can be asked here, and nothing was changed. Ec2:yes=true, or Ec2__yes=true in the environment, goes on without a question.");
        var answer = await interaction.PromptNotificationAsync($"{verb} on EC2", question, new() { Intent = MessageIntent.Confirmation, ShowSecondaryButton = true, ShowDismiss = false, PrimaryButtonText = verb, SecondaryButtonText = "Cancel" }, step.CancellationToken);
        if (answer.Canceled || !answer.Data) throw new OperationCanceledException("Nothing was changed.");
    }

    private static async Task RunAsync(PipelineStepContext step, params string[] command)
    {
        var configuration = step.Services.GetRequiredService<IConfiguration>();
        // `destroy` is told which deployment, not what it is like.
        // Shells export no names with dashes.
        var options = configuration.GetSection("Ec2").GetChildren().Select(option => (Name: option.Key.Replace('_', '-'), option.Value))
            .Where(option => option.Name != "yes" && (command[0] != "destroy" || option.Name is "name" or "region" or "endpoint-url"));
        var start = new ProcessStartInfo("dotnet", [.. ServiceResources.LaunchOf(new Projects.Ec2Deployer().ProjectPath), .. command, .. options.Select(option => $"--{option.Name}={option.Value}"), "--progress", "json"])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in (string[])["Profile", "Region"])
            if (configuration[$"AWS:{name}"] is { } value) start.Environment[$"AWS_{name.ToUpperInvariant()}"] = value;
        using var deployer = Process.Start(start)!;
        // It lets the call under way end, and begins no other.
        await using var interruption = step.CancellationToken.Register(() => Process.Start("kill", ["-TERM", $"{deployer.Id}"]).Dispose());
        var result = deployer.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var reason = await ReportAsync(step.ReportingStep, deployer.StandardError);
        foreach (var line in (await result).TrimEnd().Split('\n')) step.ReportingStep.Log(LogLevel.Information, line.TrimEnd());
        await deployer.WaitForExitAsync(CancellationToken.None);
        step.CancellationToken.ThrowIfCancellationRequested();
        if (deployer.ExitCode != 0) throw new InvalidOperationException(reason ?? $"The deployer has ended with exit code {deployer.ExitCode}.");
    }

    // Shows the deployer's events as tasks and lines of the step, and returns why it fails.
    private static async Task<string?> ReportAsync(IReportingStep step, StreamReader events)
    {
        string? reason = null;
        var tasks = new Dictionary<string, IReportingTask>();
        while (await events.ReadLineAsync(CancellationToken.None) is { } line)
        {
            var told = line.StartsWith('{') ? JsonElement.Parse(line) : JsonSerializer.SerializeToElement(new { @event = "note", message = line });
            string Text(string name) => told.TryGetProperty(name, out var value) ? value.ToString() : "";
            switch (Text("event"))
            {
                case "begin": tasks[Text("id")] = await step.CreateTaskAsync(string.Join(": ", Text("host"), Text("title")).TrimStart(':', ' '), CancellationToken.None); break;
                case "say": await tasks[Text("id")].UpdateAsync(Text("detail"), CancellationToken.None); break;
                // Whether the whole has failed, the exit code tells: the deployer goes on where something that fails is not needed.
                case "end": await tasks[Text("id")].CompleteAsync(Text("outcome"), told.GetProperty("succeeded").GetBoolean() ? CompletionState.Completed : CompletionState.CompletedWithWarning, CancellationToken.None); break;
                case "note": step.Log(LogLevel.Warning, Text("message")); break;
                case "error": reason = Text("message"); break;
            }
        }

        return reason;
    }
}
