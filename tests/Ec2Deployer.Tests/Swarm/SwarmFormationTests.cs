using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class SwarmFormationTests
{
    private readonly Dictionary<string, DeployedHost> _members = new()
    {
        ["n0"] = Host("orchestrator", HostRole.Orchestrator, manager: true),
        ["n1"] = Host("host-1", HostRole.Worker, manager: true),
        ["n2"] = Host("host-2", HostRole.Worker, manager: true),
        ["n3"] = Host("host-3", HostRole.Worker, manager: false),
    };

    [Fact]
    public void Corrections_SwarmAsItShouldBe_IsLeftAlone() => Assert.Empty(Corrections(Nodes()));

    [Fact]
    public void Corrections_ManagerDiedAndItsHostWasMadeAnew_PromotesBeforeItReleasesAndRemovesTheDead()
    {
        SwarmNode[] nodes = [.. Nodes().Where(node => node.Id is not "n2"), Node("n2", "host-2", manager: false), Node("old", "host-2", manager: true) with { IsReady = false }];

        Assert.Equal(
            ["sudo -n docker node promote n2", SwarmCommands.DemoteGone("old").Line, SwarmCommands.Remove("old").Line],
            Corrections(nodes));
    }

    [Fact]
    public void Corrections_SameNameNotYetMissed_IsTakenForDead() => Assert.Equal(
        [SwarmCommands.Remove("old").Line], Corrections([.. Nodes(), Node("old", "host-3", manager: false)]));

    [Fact]
    public void Replacements_HostMadeAnew_ForgetsItsOldNodeAndNoOther() => Assert.Equal(
        [SwarmCommands.DemoteGone("old").Line, SwarmCommands.Remove("old").Line],
        SwarmFormation.Replacements(_members, [.. Nodes(), Node("old", "host-9", manager: true), Node("foreign", "elsewhere", manager: false)], ["host-9"]).Select(command => command.Line));

    [Fact]
    public void Corrections_NodeOfNobodyThatIsWell_IsLeftAlone() =>
        Assert.Empty(Corrections([.. Nodes(), Node("foreign", "elsewhere", manager: false)]));

    [Fact]
    public void Corrections_ManagersBeyondThree_AreReleased()
    {
        _members["n2"] = _members["n2"] with { Manager = false };

        Assert.Equal(["sudo -n docker node demote n2"], Corrections(Nodes()));
    }

    [Fact]
    public void Labels_NodesWithoutTheirRoleOrDrained_AreToldTheirs()
    {
        var nodes = Nodes();
        nodes[1] = nodes[1] with { Role = null };
        nodes[3] = nodes[3] with { IsActive = false };

        Assert.Equal(
            ["sudo -n docker node update --availability active --label-add role=worker n1", "sudo -n docker node update --availability active --label-add role=worker n3"],
            SwarmFormation.Labels(_members, nodes).Select(command => command.Line));
    }

    private static DeployedHost Host(string name, HostRole role, bool manager) => new(name, role, manager, "i", "192.0.2.1", "10.0.0.1", 22, "admin", null);

    private static SwarmNode Node(string id, string name, bool manager) =>
        new(id, name, true, true, manager, manager ? "reachable" : null, name is "orchestrator" ? "orchestrator" : "worker");

    private SwarmNode[] Nodes() => [.. _members.Select(member => Node(member.Key, member.Value.Name, manager: member.Key is not "n3"))];

    private IEnumerable<string> Corrections(SwarmNode[] nodes) => SwarmFormation.Corrections(_members, nodes).Select(command => command.Line);
}
