using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class StackLiteralTests
{
    [Fact]
    public void Build_DollarSignOfTheUsers_IsNoVariableOfDockers()
    {
        var stack = StackFile.Build(new()
        {
            Deployment = "lab",
            WorkerImage = "localhost:1/lab-worker:w1",
            OrchestratorImage = "localhost:1/lab-orchestrator:o1",
            ModelPath = "Models/a${HOME} $b",
            Otlp = new Uri("http://10.0.0.5:4317/$tenant"),
        }).Stack;

        var environment = stack["services"]!["worker-a"]!["environment"]!;
        Assert.Equal("Models/a$${HOME} $$b", environment["Worker__ModelDirectory"]!.GetValue<string>());
        Assert.Equal("http://10.0.0.5:4317/$$tenant", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]!.GetValue<string>());
    }
}
