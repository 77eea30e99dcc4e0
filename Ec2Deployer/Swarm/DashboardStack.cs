using System.Globalization;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>
/// The stack file of Aspire's dashboard: a service of the same stack, in a file of its own. It belongs to no release, so
/// that going back to an older one leaves it as it is, and what becomes of it holds up no service.
/// </summary>
internal static class DashboardStack
{
    /// <summary>Where it sees its secrets, each in a file with the name of its setting.</summary>
    public const string Secrets = "/run/dashboard";

    // Its database lies in memory, within the container's limit. Some minutes of a busy fleet, hours of a quiet one.
    private const int MaxLogs = 5000;
    private const int MaxTraces = 2000;
    private const int MaxMetricPoints = 2000;
    private const int DatabaseBytes = 192 << 20;

    /// <summary>Where services send telemetry.</summary>
    /// <param name="address">The private address of the orchestrator's host.</param>
    public static string Endpoint(string address) => string.Create(CultureInfo.InvariantCulture, $"http://{address}:{FleetShape.TelemetryPort}");

    /// <summary>The stack file.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="image">The dashboard's image.</param>
    /// <param name="address">The private address of the orchestrator's host.</param>
    /// <param name="secrets">The release's secrets.</param>
    public static JsonObject Build(string deployment, string image, string address, IEnumerable<FleetSecret> secrets)
    {
        var own = secrets.Where(secret => secret.Reader is SecretReader.Dashboard).ToList();
        var service = Service(image, address);
        service["secrets"] = StackFile.SecretFiles(deployment, own, FleetPaths.DashboardUser);
        service["labels"] = new JsonObject { [StackFile.SpecLabel] = $"{DashboardPackage.Version}-{StackFile.Hash(service)}" };
        return new()
        {
            ["version"] = "3.9",
            ["services"] = new JsonObject { [FleetShape.Dashboard] = service },
            ["networks"] = new JsonObject { ["host"] = new JsonObject { ["external"] = true, ["name"] = "host" } },
            ["secrets"] = new JsonObject([.. own.Select(secret => KeyValuePair.Create<string, JsonNode?>(secret.Name(deployment), new JsonObject { ["external"] = true }))]),
        };
    }

    /// <summary>The hash of the service's description in a stack file.</summary>
    public static string Spec(JsonObject stack) => stack["services"]![FleetShape.Dashboard]!["labels"]![StackFile.SpecLabel]!.GetValue<string>();

    private static JsonObject Service(string image, string address) => new()
    {
        ["image"] = image,
        ["user"] = string.Create(CultureInfo.InvariantCulture, $"{FleetPaths.DashboardUser}:{FleetPaths.DashboardUser}"),
        ["read_only"] = true,
        ["cap_drop"] = new JsonArray("ALL"),
        ["networks"] = new JsonArray("host"),
        ["environment"] = new JsonObject
        {
            // Its pages on the host's loopback, to which SSH leads; telemetry from the other hosts.
            ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FleetShape.DashboardPort}"),
            ["ASPNETCORE_HTTP_PORTS"] = "",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = Endpoint(address),
            ["ASPIRE_DASHBOARD_FILE_CONFIG_DIRECTORY"] = Secrets,
            ["DASHBOARD__OTLP__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__FRONTEND__AUTHMODE"] = "BrowserToken",
            // Else it writes the token into its log.
            ["ASPIRE_DASHBOARD_SUPPRESS_BROWSER_TOKEN_IN_OUTPUT"] = "true",
            // A second door, which nobody needs.
            ["ASPIRE_DASHBOARD_API_DISABLED"] = "true",
            ["DASHBOARD__TELEMETRYLIMITS__MAXLOGCOUNT"] = Text(MaxLogs),
            ["DASHBOARD__TELEMETRYLIMITS__MAXTRACECOUNT"] = Text(MaxTraces),
            ["DASHBOARD__TELEMETRYLIMITS__MAXMETRICSCOUNT"] = Text(MaxMetricPoints),
            ["DOTNET_EnableDiagnostics"] = "0",
        },
        ["volumes"] = new JsonArray(new JsonObject { ["type"] = "tmpfs", ["target"] = "/tmp", ["tmpfs"] = new JsonObject { ["size"] = DatabaseBytes } }),
        ["stop_grace_period"] = "10s",
        ["logging"] = new JsonObject { ["driver"] = "json-file", ["options"] = new JsonObject { ["max-size"] = "10m", ["max-file"] = "3" } },
        ["deploy"] = new JsonObject
        {
            ["mode"] = "replicated",
            ["replicas"] = 1,
            ["placement"] = new JsonObject { ["constraints"] = new JsonArray("node.labels.role == orchestrator") },
            // Two cannot have the same ports.
            ["update_config"] = new JsonObject { ["order"] = "stop-first", ["failure_action"] = "pause" },
            ["restart_policy"] = new JsonObject { ["condition"] = "any", ["delay"] = "5s" },
            ["resources"] = new JsonObject { ["limits"] = new JsonObject { ["cpus"] = "0.5", ["memory"] = "512M", ["pids"] = 256 } },
        },
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
