namespace Lab.Ec2Deployer.Tests;

public sealed class HostRoleTests
{
    [Fact]
    public void Names_OfRoles_AreTheOnesOfTheLabels() =>
        Assert.Equal(["Orchestrator", "Worker"], Enum.GetNames<Planning.HostRole>());
}
