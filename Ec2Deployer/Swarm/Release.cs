using System.Text.Json.Nodes;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A version of the fleet, as it is kept in the Swarm: a stack file with everything in it but the secrets.</summary>
/// <param name="Version">12 hexadecimal digits of the stack file's hash.</param>
/// <param name="Stack">The stack file.</param>
internal sealed record Release(string Version, JsonObject Stack)
{
    /// <summary>Where the orchestrators of a release with several run.</summary>
    internal const string EachManager = "node.role == manager";

    /// <summary>Whether an orchestrator runs on each manager of the Swarm, and not only on the orchestrator's host.</summary>
    public bool OrchestratorOnEachManager =>
        Service("orchestrator")["deploy"]?["placement"]?["constraints"] is JsonArray constraints && constraints.Any(constraint => constraint?.ToString() == EachManager);

    /// <summary>Whether it keeps jobs in PostgreSQL, and not in a file on the orchestrator's host.</summary>
    public bool KeepsJobsInPostgres => Service("orchestrator")["environment"]?["Jobs__Provider"]?.ToString() == "Postgres";

    /// <summary>The hash of one service's description.</summary>
    public string Spec(string service) => Service(service)["labels"]![StackFile.SpecLabel]!.GetValue<string>();

    /// <summary>The image of one service.</summary>
    public string Image(string service) => Service(service)["image"]!.GetValue<string>();

    /// <summary>The names of its secrets.</summary>
    public IEnumerable<string> Secrets => (Stack["secrets"]?.AsObject() ?? []).Select(secret => secret.Key);

    /// <summary>The text of its stack file.</summary>
    public string Text => StackFile.Text(Stack);

    /// <summary>Reads a kept stack file.</summary>
    /// <exception cref="InvalidDataException">It is none of ours.</exception>
    public static Release Parse(string text)
    {
        try
        {
            var stack = JsonNode.Parse(text)!.AsObject();
            var version = stack["services"]![StackFile.Services[0]]!["deploy"]!["labels"]![StackFile.VersionLabel]!.GetValue<string>();
            return new(version, stack);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NullReferenceException or InvalidOperationException)
        {
            throw new InvalidDataException($"The kept stack file cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The stack file on the way from one release to this one: the first services are this one's already, the others are still the old one's.</summary>
    /// <param name="from">The release that serves.</param>
    /// <param name="count">How many of <see cref="StackFile.Services"/> are brought up to date.</param>
    public JsonObject Towards(Release from, int count)
    {
        var stack = (JsonObject)Stack.DeepClone();
        foreach (var service in StackFile.Services.Skip(count)) stack["services"]![service] = from.Service(service).DeepClone();
        foreach (var (name, secret) in from.Stack["secrets"]?.AsObject() ?? [])
            if (!stack["secrets"]!.AsObject().ContainsKey(name)) stack["secrets"]![name] = secret?.DeepClone();
        return stack;
    }

    private JsonNode Service(string name) => Stack["services"]![name]!;
}
