using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>
/// Builds the stack file of a release. It is written as JSON, which every YAML reader understands and nothing in it
/// needs quoting twice.
/// </summary>
internal static class StackFile
{
    /// <summary>How much of its host's processor a container may use, in cores.</summary>
    public const string Cores = "1.0";

    /// <summary>The label of a container with the hash of its service's description.</summary>
    public const string SpecLabel = "lab.spec";

    /// <summary>The label of a service with the release it belongs to.</summary>
    public const string VersionLabel = "lab.version";

    /// <summary>The services in the order in which they are brought up to date.</summary>
    public static readonly string[] Services = ["worker-a", "worker-b", "orchestrator"];

    /// <summary>The socket in each container where its program answers this host alone.</summary>
    public const string HealthSocketPath = "/tmp/health.sock";

    /// <summary>Where EC2's instance metadata service answers every instance, and the containers on its own network.</summary>
    public const string MetadataService = "http://169.254.169.254";

    private const string HealthSocket = $"http://unix:{HealthSocketPath}";
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <summary>The release: its stack file, and its version, which the same content always gives.</summary>
    public static Release Build(StackContent content)
    {
        var services = new JsonObject
        {
            ["worker-a"] = Worker(content, port: 8000, place: 0),
            ["worker-b"] = Worker(content, port: 8001, place: 1),
            ["orchestrator"] = Orchestrator(content),
        };
        foreach (var (_, service) in services) service!["labels"] = new JsonObject { [SpecLabel] = Hash(service) };

        var stack = new JsonObject
        {
            ["version"] = "3.9",
            ["services"] = services,
            ["networks"] = new JsonObject { ["host"] = new JsonObject { ["external"] = true, ["name"] = "host" } },
            ["secrets"] = new JsonObject([.. content.Secrets.Where(secret => secret.Reader is not SecretReader.Dashboard).Select(secret => KeyValuePair.Create<string, JsonNode?>(secret.Name(content.Deployment), new JsonObject { ["external"] = true }))]),
        };
        var version = Hash(stack);
        foreach (var (_, service) in services) service!["deploy"]!["labels"] = new JsonObject { [VersionLabel] = version };
        return new(version, stack);
    }

    /// <summary>A stack file's text.</summary>
    public static string Text(JsonNode stack) => stack.ToJsonString(Readable) + "\n";

    private static JsonObject Worker(StackContent content, int port, int place)
    {
        var environment = Environment(content, Services[place], $"http://*:{port};{HealthSocket}");
        // By place, not by number: a host with one core has no core 1, and its workers share the one.
        environment["Worker__CpuAffinity"] = $"#{place.ToString(CultureInfo.InvariantCulture)}";
        if (content.ModelPath is { } model) environment["Worker__ModelDirectory"] = Literal(model);
        if (content.SpotNotices) environment["Worker__SpotNotices"] = MetadataService;
        var service = Service(content, content.WorkerImage, "Worker", FleetPaths.WorkerUser(place), environment, "node.labels.role == worker", "stop-first");
        var secrets = Secrets(content, FleetPaths.WorkerUser(place), SecretReader.Services);
        if (secrets.Count > 0) service["secrets"] = secrets;
        return service;
    }

    private static JsonObject Orchestrator(StackContent content)
    {
        var environment = Environment(content, "orchestrator", $"http://*:80;https://*:443;{HealthSocket}");
        environment["Orchestrator__ReusePort"] = "true";
        environment["Orchestrator__WorkersFile"] = $"{FleetPaths.Workers}/workers.json";
        environment["Access__SecretsDirectory"] = "/run/secrets";
        environment["Jobs__Path"] = $"{FleetPaths.State}/jobs.db";
        environment["Https__PlainHttp"] = content.PlainHttp ? "WithoutKey" : "Redirected";
        environment["Https__SelfSignedDirectory"] = $"{FleetPaths.State}/https";
        environment["Access__SessionKeysDirectory"] = $"{FleetPaths.State}/sessions";
        if (content.Postgres) environment["Jobs__Provider"] = "Postgres";
        if (content.Certificate is { } certificate) environment["Https__CertificatePath"] = certificate;

        // Start-first: the new process listens beside the old one, on the same ports, and takes over.
        var service = Service(content, content.OrchestratorImage, "Orchestrator", FleetPaths.OrchestratorUser, environment, content.OrchestratorNodes, "start-first");
        var volumes = service["volumes"]!.AsArray();
        volumes.Add(Bind(FleetPaths.Workers, readOnly: true));
        volumes.Add(Bind(FleetPaths.State, readOnly: false));
        service["secrets"] = Secrets(content, FleetPaths.OrchestratorUser, SecretReader.Orchestrator, SecretReader.Services);
        return service;
    }

    private static JsonArray Secrets(StackContent content, int user, params SecretReader[] readers) =>
        SecretFiles(content.Deployment, content.Secrets.Where(secret => readers.Contains(secret.Reader)), user);

    /// <summary>Secrets as files that one user may read.</summary>
    internal static JsonArray SecretFiles(string deployment, IEnumerable<FleetSecret> secrets, int user)
    {
        var owner = user.ToString(CultureInfo.InvariantCulture);
        return new([.. secrets.Select(secret => (JsonNode)new JsonObject
        {
            ["source"] = secret.Name(deployment),
            ["target"] = secret.Target,
            ["uid"] = owner,
            ["gid"] = owner,
            ["mode"] = 256,
        })]);
    }

    private static JsonObject Environment(StackContent content, string name, string addresses)
    {
        var environment = new JsonObject
        {
            ["ASPNETCORE_URLS"] = addresses,
            ["ASPNETCORE_HTTP_PORTS"] = "",
            ["DOTNET_EnableDiagnostics"] = "0",
            ["ORT_DISABLE_TELEMETRY"] = "1",
        };
        if (content.DashboardEndpoint is { } dashboard)
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = dashboard;
            environment["Telemetry__HeadersFile"] = FleetSecret.TelemetryHeadersPath;
            // The dashboard shows which of several it is by the host's name.
            environment["OTEL_SERVICE_NAME"] = name;
            environment["OTEL_RESOURCE_ATTRIBUTES"] = "service.instance.id={{.Node.Hostname}}";
        }
        else if (content.Otlp is { } otlp)
        {
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = Literal(otlp.ToString());
        }

        return environment;
    }

    private static JsonObject Service(StackContent content, string image, string program, int user, JsonObject environment, string nodes, string order) => new()
    {
        ["image"] = image,
        ["user"] = string.Create(CultureInfo.InvariantCulture, $"{user}:{user}"),
        ["read_only"] = true,
        ["cap_drop"] = new JsonArray("ALL"),
        ["networks"] = new JsonArray("host"),
        ["environment"] = environment,
        ["healthcheck"] = new JsonObject
        {
            ["test"] = new JsonArray("CMD", $"/app/{program}", "health"),
            ["interval"] = Duration(content.Times.Interval),
            ["timeout"] = "10s",
            ["retries"] = 3,
            ["start_period"] = Duration(content.Times.StartPeriod),
        },
        ["volumes"] = new JsonArray(new JsonObject { ["type"] = "tmpfs", ["target"] = "/tmp", ["tmpfs"] = new JsonObject { ["size"] = 64 << 20 } }),
        ["stop_grace_period"] = "40s",
        ["logging"] = new JsonObject { ["driver"] = "json-file", ["options"] = new JsonObject { ["max-size"] = "10m", ["max-file"] = "3" } },
        ["deploy"] = new JsonObject
        {
            ["mode"] = "global",
            ["placement"] = new JsonObject { ["constraints"] = new JsonArray(nodes) },
            ["update_config"] = Update(content.Times, order, "rollback"),
            ["rollback_config"] = Update(content.Times, order, "pause"),
            ["restart_policy"] = new JsonObject { ["condition"] = "any", ["delay"] = "1s" },
            ["resources"] = new JsonObject { ["limits"] = new JsonObject { ["cpus"] = Cores, ["memory"] = "2G", ["pids"] = 256 } },
        },
    };

    private static JsonObject Update(StackTimes times, string order, string failureAction) => new()
    {
        ["parallelism"] = 1,
        ["order"] = order,
        ["failure_action"] = failureAction,
        ["max_failure_ratio"] = 0,
        ["monitor"] = Duration(times.Monitor),
    };

    private static JsonObject Bind(string path, bool readOnly) => new()
    {
        ["type"] = "bind",
        ["source"] = path,
        ["target"] = path,
        ["read_only"] = readOnly,
    };

    // Docker would put one of its own variables in the place of what follows a dollar sign.
    private static string Literal(string text) => text.Replace("$", "$$", StringComparison.Ordinal);

    private static string Duration(TimeSpan time) => $"{time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)}ms";

    /// <summary>12 hexadecimal digits of a hash over a part of a stack file.</summary>
    internal static string Hash(JsonNode node) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(node.ToJsonString())))[..12];
}
