#pragma warning disable ASPIREPIPELINES001, ASPIREPIPELINES004, ASPIREINTERACTION001 // Pipelines may still change.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Lab.AppHost;

/// <summary>
/// <c>aspire publish</c>, <c>deploy</c> and <c>destroy</c> by the deployer, whose steps are shown as tasks. Its options are configuration:
/// <c>Ec2:hosts=2</c> is <c>--hosts 2</c>; <c>Ec2:yes=true</c> answers the question where nobody can be asked.
/// </summary>
internal static class Ec2Pipeline
{
    /// <summary>Adds the steps.</summary>
    public static IResourceBuilder<ProjectResource> WithEc2Steps(this IResourceBuilder<ProjectResource> deployer) => deployer
        .WithPipelineStepFactory("publish-ec2-plan", PublishAsync, requiredBy: [WellKnownPipelineSteps.Publish], description: "Writes what a deployment to EC2 would make.")
        .WithPipelineStepFactory("plan-ec2", PlanAsync, dependsOn: [WellKnownPipelineSteps.DeployPrereq], description: "Shows what a deployment to EC2 makes and costs, and asks.")
        .WithPipelineStepFactory("deploy-ec2", DeployAsync, dependsOn: ["plan-ec2"], requiredBy: [WellKnownPipelineSteps.Deploy], description: "Puts the cluster on EC2.")
        .WithPipelineStepFactory("destroy-ec2", DestroyAsync, dependsOn: [WellKnownPipelineSteps.DestroyPrereq], requiredBy: [WellKnownPipelineSteps.Destroy], description: "Removes everything from EC2.");

    private static async Task PublishAsync(PipelineStepContext step)
    {
        var directory = step.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
        await RunAsync(step, "plan", "--output", directory);
        step.Summary.Add("Plan of EC2", directory);
    }

    private static async Task PlanAsync(PipelineStepContext step)
    {
        var plan = await RunAsync(step, "plan");
        foreach (var action in plan.GetProperty("actions").EnumerateArray())
            step.ReportingStep.Log(LogLevel.Information, $"{action.GetProperty("kind")} {action.GetProperty("subject")}: {action.GetProperty("detail")}");
        var hosts = plan.GetProperty("hosts").EnumerateArray().CountBy(host => $"{host.GetProperty("instance_type")}").Select(type => $"{type.Value} × {type.Key}");
        var price = plan.GetProperty("hourly_usd") is { ValueKind: JsonValueKind.Number } hourly
            ? string.Create(CultureInfo.InvariantCulture, $"${hourly.GetDecimal():0.000} an hour or ${plan.GetProperty("monthly_usd").GetDecimal():0} a month, by prices of {plan.GetProperty("prices_as_of")}")
            : "at a price that is not known here";
        var what = $"'{plan.GetProperty("name")}' in {plan.GetProperty("region")}: {string.Join(", ", hosts)}, {price}";
        step.ReportingStep.Log(LogLevel.Information, what);
        await AskAsync(step, "Deploy", $"Deploy {what}?");
    }

    private static async Task DeployAsync(PipelineStepContext step) =>
        step.Summary.Add("Orchestrator on EC2", (await RunAsync(step, "publish")).GetProperty("address").ToString());

    private static async Task DestroyAsync(PipelineStepContext step)
    {
        if (!step.Services.GetRequiredService<IOptions<PipelineOptions>>().Value.SkipConfirmation)
            await AskAsync(step, "Destroy", "Remove every host, disk, security group and key pair of the deployment from EC2?");
        var removed = (await RunAsync(step, "destroy", "--yes")).GetProperty("removed").EnumerateArray();
        step.Summary.Add("Removed from EC2", removed.Any() ? string.Join(", ", removed) : "nothing: there was nothing");
    }

    private static async Task AskAsync(PipelineStepContext step, string verb, string question)
    {
        if (Settings(step).GetValue("yes", false)) return;
        var interaction = step.Services.GetRequiredService<IInteractionService>();
        if (!interaction.IsAvailable) throw new InvalidOperationException("Nobody can be asked here, and nothing was changed. Ec2:yes=true, or Ec2__yes=true in the environment, goes on without a question.");
        var answer = await interaction.PromptNotificationAsync($"{verb} on EC2", question, new() { Intent = MessageIntent.Confirmation, ShowSecondaryButton = true, ShowDismiss = false, PrimaryButtonText = verb, SecondaryButtonText = "Cancel" }, step.CancellationToken);
        if (answer.Canceled || !answer.Data) throw new OperationCanceledException("Nothing was changed.");
    }

    private static IConfigurationSection Settings(PipelineStepContext step) => step.Services.GetRequiredService<IConfiguration>().GetSection("Ec2");

    // Runs the deployer and returns its result.
    private static async Task<JsonElement> RunAsync(PipelineStepContext step, params string[] command)
    {
        // `destroy` is told which deployment, not what it is like.
        var options = Settings(step).GetChildren().Where(option => option.Key != "yes" && (command[0] != "destroy" || option.Key is "name" or "region" or "endpoint-url"));
        var start = new ProcessStartInfo("dotnet", [.. ServiceResources.LaunchOf(new Projects.Ec2Deployer().ProjectPath), .. command, .. options.SelectMany(option => (string[])[$"--{option.Key}", option.Value ?? ""]), "--json", "--progress", "json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in (string[])["Profile", "Region"])
            if (step.Services.GetRequiredService<IConfiguration>()[$"AWS:{name}"] is { } value) start.Environment[$"AWS_{name.ToUpperInvariant()}"] = value;
        using var deployer = Process.Start(start)!;
        // It lets the call under way end, and begins no other.
        await using var interruption = step.CancellationToken.Register(() => Process.Start("kill", ["-TERM", $"{deployer.Id}"]).Dispose());
        var result = deployer.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var reason = await ReportAsync(step.ReportingStep, deployer.StandardError);
        await deployer.WaitForExitAsync(CancellationToken.None);
        step.CancellationToken.ThrowIfCancellationRequested();
        return deployer.ExitCode == 0 ? JsonElement.Parse(await result) : throw new InvalidOperationException(reason ?? $"The deployer has ended with exit code {deployer.ExitCode}.");
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
                case "end": await tasks[Text("id")].CompleteAsync(Text("outcome"), told.GetProperty("succeeded").GetBoolean() ? CompletionState.Completed : CompletionState.CompletedWithError, CancellationToken.None); break;
                case "note": step.Log(LogLevel.Warning, Text("message")); break;
                case "error": reason = Text("message"); break;
            }
        }

        return reason;
    }
}
