using System.Text.Json;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A task: the Swarm's word for one container it wants to run.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Node">The id of its node, empty before it has one.</param>
/// <param name="Spec">The hash of the description that it runs.</param>
/// <param name="State"><c>running</c> once its container is healthy; <c>preparing</c>, <c>starting</c>, <c>failed</c>, <c>rejected</c>, …</param>
/// <param name="ShouldRun">Whether it is meant to run, now or soon.</param>
/// <param name="Error">Why it does not.</param>
internal sealed record ServiceTask(string Id, string Node, string Spec, string State, bool ShouldRun, string Error);

/// <summary>A service as the managers see it.</summary>
/// <param name="Spec">The hash of the description that it has now.</param>
/// <param name="Version">The release that it belongs to.</param>
/// <param name="UpdateState"><c>updating</c>, <c>completed</c>, <c>paused</c>, <c>rollback_started</c>, <c>rollback_completed</c>, <c>rollback_paused</c>, or null before the first update.</param>
/// <param name="UpdateStarted">When the newest update began, as the Swarm writes it: tells one update from another.</param>
/// <param name="UpdateMessage">What the Swarm says about it.</param>
/// <param name="Tasks">Its tasks, those that ended included.</param>
internal sealed record ServiceState(
    string? Spec, string? Version, string? UpdateState, string? UpdateStarted, string UpdateMessage, IReadOnlyList<ServiceTask> Tasks)
{
    private const string SpecProperty = nameof(Spec);

    /// <summary>How many containers of a description are healthy.</summary>
    public int Healthy(string spec) => Tasks.Count(task => task.ShouldRun && task.State is "running" && task.Spec == spec);

    /// <summary>Whether the service runs one description and nothing else, on so many nodes.</summary>
    public bool HasSettled(string spec, int expected) =>
        Spec == spec && Healthy(spec) == expected && Tasks.Count(task => task.ShouldRun) == expected;

    /// <summary>Tasks of a description that came to nothing.</summary>
    public IReadOnlyList<ServiceTask> Failures(string spec) =>
        [.. Tasks.Where(task => task.Spec == spec && task.State is ("failed" or "rejected"))];

    /// <summary>Reads what <c>docker service inspect</c> and <c>docker inspect --type task</c> wrote.</summary>
    public static ServiceState Parse(string services, string tasks)
    {
        using var document = JsonDocument.Parse(services);
        var service = document.RootElement[0];
        var description = service.GetProperty(SpecProperty);
        var status = service.TryGetProperty("UpdateStatus", out var update) && update.ValueKind is JsonValueKind.Object ? update : default;
        return new(
            Label(description.GetProperty("TaskTemplate").GetProperty("ContainerSpec"), StackFile.SpecLabel),
            Label(description, StackFile.VersionLabel),
            Text(status, "State"),
            Text(status, "StartedAt"),
            Text(status, "Message") ?? "",
            ParseTasks(tasks));
    }

    private static IReadOnlyList<ServiceTask> ParseTasks(string json)
    {
        if (string.IsNullOrWhiteSpace(json)) return [];
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(task =>
        {
            var status = task.GetProperty("Status");
            return new ServiceTask(
                Text(task, "ID")!,
                Text(task, "NodeID") ?? "",
                Label(task.GetProperty(SpecProperty).GetProperty("ContainerSpec"), StackFile.SpecLabel) ?? "",
                Text(status, "State") ?? "",
                Text(task, "DesiredState") is "running" or "ready" or "accepted",
                Text(status, "Err") ?? "");
        })];
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Label(JsonElement element, string name) =>
        element.TryGetProperty("Labels", out var labels) && labels.ValueKind is JsonValueKind.Object ? Text(labels, name) : null;
}
