using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class ServiceStateTests
{
    private const string Service = """
        [{"ID":"s1","Spec":{"Name":"lab_worker-a","Labels":{"lab.version":"v2"},"TaskTemplate":{"ContainerSpec":{"Image":"i","Labels":{"lab.spec":"new"}}}},
          "UpdateStatus":{"State":"rollback_completed","StartedAt":"2026-01-02T03:04:05Z","Message":"rollback completed"}}]
        """;

    [Fact]
    public void Parse_TasksOfBothVersions_CountsTheHealthyOfEach()
    {
        var state = ServiceState.Parse(Service, $"[{Task("t1", "new", "running", "running")},{Task("t2", "new", "running", "starting")},{Task("t3", "old", "shutdown", "shutdown")},{Task("t4", "new", "shutdown", "failed")}]");

        Assert.Equal(("new", "v2", "rollback_completed"), (state.Spec, state.Version, state.UpdateState));
        Assert.Equal(1, state.Healthy("new"));
        Assert.Equal("t4", Assert.Single(state.Failures("new")).Id);
        Assert.False(state.HasSettled("new", 2));
    }

    [Fact]
    public void HasSettled_AllTasksHealthyAndNoOther_IsTrue()
    {
        var tasks = $"[{Task("t1", "new", "running", "running")},{Task("t2", "new", "running", "running")},{Task("t3", "old", "shutdown", "shutdown")}]";

        Assert.True(ServiceState.Parse(Service, tasks).HasSettled("new", 2));
        Assert.False(ServiceState.Parse(Service, tasks).HasSettled("new", 3));
        Assert.False(ServiceState.Parse(Service, tasks).HasSettled("old", 2));
    }

    [Fact]
    public void ReadState_NoService_IsNull() => Assert.Null(RolloutCommands.ReadState(""));

    private static string Task(string id, string spec, string desired, string state) =>
        $"{{\"ID\":\"{id}\",\"NodeID\":\"n\",\"Spec\":{{\"ContainerSpec\":{{\"Labels\":{{\"lab.spec\":\"{spec}\"}}}}}},\"Status\":{{\"State\":\"{state}\"}},\"DesiredState\":\"{desired}\"}}";
}
