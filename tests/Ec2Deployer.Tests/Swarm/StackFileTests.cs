using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class StackFileTests
{
    private static readonly StackContent Content = new()
    {
        Deployment = "lab",
        WorkerImage = "localhost:1/lab-worker:w1",
        OrchestratorImage = "localhost:1/lab-orchestrator:o1",
        Secrets = [new("key", "Access__Keys__client", "sha256:00")],
    };

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void OrchestratorOnEachManager_KeptRelease_IsReadFromItsStackFile(int orchestrators, bool expected)
    {
        var options = new ReleaseOptions { Deployment = "lab", StateDirectory = "/nosuch", PrivateKeyFile = "/nosuch/key", Orchestrators = orchestrators };
        var release = StackFile.Build(StackContent.Of(options, "o", "w", [], StackTimes.Default, "10.0.0.1"));

        Assert.Equal(expected, Release.Parse(release.Text).OrchestratorOnEachManager);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void KeepsJobsInPostgres_KeptRelease_IsReadFromItsStackFile(bool postgres) =>
        Assert.Equal(postgres, Release.Parse(StackFile.Build(Content with { Postgres = postgres }).Text).KeepsJobsInPostgres);

    [Fact]
    public void Build_Worker_IsExactlyThis()
    {
        var service = StackFile.Build(Content).Stack["services"]!["worker-b"]!.AsObject();
        service.Remove("labels");
        service["deploy"]!.AsObject().Remove("labels");

        Assert.Equal("""
            {
              "image": "localhost:1/lab-worker:w1",
              "user": "1656:1656",
              "read_only": true,
              "cap_drop": [
                "ALL"
              ],
              "networks": [
                "host"
              ],
              "environment": {
                "ASPNETCORE_URLS": "http://*:8001;http://unix:/tmp/health.sock",
                "ASPNETCORE_HTTP_PORTS": "",
                "DOTNET_EnableDiagnostics": "0",
                "ORT_DISABLE_TELEMETRY": "1",
                "Worker__CpuAffinity": "#1"
              },
              "healthcheck": {
                "test": [
                  "CMD",
                  "/app/Worker",
                  "health"
                ],
                "interval": "5000ms",
                "timeout": "10s",
                "retries": 3,
                "start_period": "60000ms"
              },
              "volumes": [
                {
                  "type": "tmpfs",
                  "target": "/tmp",
                  "tmpfs": {
                    "size": 67108864
                  }
                }
              ],
              "stop_grace_period": "40s",
              "logging": {
                "driver": "json-file",
                "options": {
                  "max-size": "10m",
                  "max-file": "3"
                }
              },
              "deploy": {
                "mode": "global",
                "placement": {
                  "constraints": [
                    "node.labels.role == worker"
                  ]
                },
                "update_config": {
                  "parallelism": 1,
                  "order": "stop-first",
                  "failure_action": "rollback",
                  "max_failure_ratio": 0,
                  "monitor": "5000ms"
                },
                "rollback_config": {
                  "parallelism": 1,
                  "order": "stop-first",
                  "failure_action": "pause",
                  "max_failure_ratio": 0,
                  "monitor": "5000ms"
                },
                "restart_policy": {
                  "condition": "any",
                  "delay": "1s"
                },
                "resources": {
                  "limits": {
                    "cpus": "1.0",
                    "memory": "2G",
                    "pids": 256
                  }
                }
              }
            }

            """, StackFile.Text(service), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Build_Orchestrator_TakesOverBesideTheOldOneAndSeesItsSecrets()
    {
        var service = StackFile.Build(Content).Stack["services"]!["orchestrator"]!;
        var secret = Content.Secrets[0].Name("lab");

        Assert.Equal("start-first", (string?)service["deploy"]!["update_config"]!["order"]);
        Assert.Equal("http://*:80;https://*:443;http://unix:/tmp/health.sock", (string?)service["environment"]!["ASPNETCORE_URLS"]);
        Assert.Equal($$"""[{"source":"{{secret}}","target":"Access__Keys__client","uid":"1654","gid":"1654","mode":256}]""", service["secrets"]!.ToJsonString());
        Assert.Equal("Redirected", (string?)service["environment"]!["Https__PlainHttp"]);
        Assert.DoesNotContain("sha256:00", StackFile.Build(Content).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_PlainHttp_TakesTextsWithoutKeysOnPort80() => Assert.Equal("WithoutKey",
        (string?)StackFile.Build(Content with { PlainHttp = true }).Stack["services"]!["orchestrator"]!["environment"]!["Https__PlainHttp"]);

    [Fact]
    public void Build_SpotNotices_AreAskedForByWorkersAlone()
    {
        var services = StackFile.Build(Content with { SpotNotices = true }).Stack["services"]!;

        Assert.All(["worker-a", "worker-b"], worker => Assert.Equal("http://169.254.169.254", (string?)services[worker]!["environment"]!["Worker__SpotNotices"]));
        Assert.Null(services["orchestrator"]!["environment"]!["Worker__SpotNotices"]);
    }

    [Fact]
    public void Build_SameContent_GivesTheSameVersionAndAnotherContentAnother()
    {
        var first = StackFile.Build(Content);

        Assert.Equal(first.Text, StackFile.Build(Content).Text);
        Assert.NotEqual(first.Version, StackFile.Build(Content with { Otlp = new("http://collector:4317") }).Version);
        Assert.Equal(first.Version, Release.Parse(first.Text).Version);
    }

    [Fact]
    public void Build_NewOrchestrator_LeavesTheWorkersDescriptionsAsTheyWere()
    {
        var (old, target) = (StackFile.Build(Content), StackFile.Build(Content with { OrchestratorImage = "localhost:1/lab-orchestrator:o2" }));

        Assert.Equal(old.Spec("worker-a"), target.Spec("worker-a"));
        Assert.NotEqual(old.Spec("orchestrator"), target.Spec("orchestrator"));
    }

    [Fact]
    public void Towards_FirstService_BringsUpThatOneAndKeepsTheOthersWithTheirSecrets()
    {
        var old = StackFile.Build(Content);
        var target = StackFile.Build(Content with { WorkerImage = "localhost:1/lab-worker:w2", Secrets = [new("key", "Access__Keys__client", "sha256:11")] });

        var stack = target.Towards(old, count: 1);

        string Text(JsonNode of, string service) => of["services"]![service]!.ToJsonString();
        Assert.Equal(Text(target.Stack, "worker-a"), Text(stack, "worker-a"));
        Assert.Equal(Text(old.Stack, "worker-b"), Text(stack, "worker-b"));
        Assert.Equal(Text(old.Stack, "orchestrator"), Text(stack, "orchestrator"));
        Assert.Equal(2, stack["secrets"]!.AsObject().Count);
    }
}
