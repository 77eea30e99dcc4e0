using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class WorkerListTests
{
    [Fact]
    public void File_HostsWithAGap_KeepsEachWorkersName() => Assert.Equal(
        """{"worker-1":"http://10.0.0.11:8000","worker-2":"http://10.0.0.11:8001","worker-9":"http://10.0.0.15:8000","worker-10":"http://10.0.0.15:8001"}""" + "\n",
        WorkerList.File([Host("host-5", "10.0.0.15"), Host("orchestrator", "10.0.0.10"), Host("host-1", "10.0.0.11")]));

    [Theory]
    [InlineData("orchestrator")]
    [InlineData("host-0")]
    [InlineData("host-x")]
    public void Of_NameWithoutANumber_IsRefused(string host) => Assert.Throws<ArgumentException>(() => WorkerList.Of(host));

    private static DeployedHost Host(string name, string address) =>
        new(name, name is "orchestrator" ? HostRole.Orchestrator : HostRole.Worker, false, "i", address, address, 22, "admin", null);
}
