using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class SwarmCommandsTests
{
    private static readonly DeployedHost Host = new("host-1", HostRole.Worker, true, "i-1", "192.0.2.11", "10.0.0.11", 22, "admin", null);
    private static readonly DeployedHost Manager = Host with { Name = "orchestrator", PrivateAddress = "10.0.0.10" };

    [Fact]
    public void Lines_OfCommands_AreExactlyThese()
    {
        Assert.Equal("sudo -n docker swarm init --advertise-addr 10.0.0.11", SwarmCommands.Init(Host).Line);
        Assert.Equal("sudo -n docker swarm join-token --quiet manager", SwarmCommands.JoinToken(manager: true).Line);
        Assert.Equal("sudo -n docker swarm join-token --quiet worker", SwarmCommands.JoinToken(manager: false).Line);
        Assert.Equal("sudo -n docker swarm leave --force", SwarmCommands.Leave.Line);
        Assert.Equal("sudo -n docker node promote a b", SwarmCommands.Promote(["a", "b"]).Line);
        Assert.Equal("sudo -n docker node demote a", SwarmCommands.Demote(["a"]).Line);
        Assert.Equal("sudo -n sh -ec 'docker node demote a || true'", SwarmCommands.DemoteGone("a").Line);
        Assert.Equal("sudo -n sh -ec 'for attempt in $(seq 30); do if docker node rm --force a; then exit 0; fi; sleep 1; done; exit 1'", SwarmCommands.Remove("a").Line);
        Assert.Equal("sudo -n docker node update --availability active --label-add role=worker a", SwarmCommands.Label("a", HostRole.Worker).Line);
        Assert.Equal("sudo -n docker node update --availability drain a", SwarmCommands.Drain("a").Line);
        Assert.Equal("sudo -n sh -ec 'docker node inspect $(docker node ls --quiet)'", SwarmCommands.Nodes.Line);
    }

    [Fact]
    public void Join_Token_TravelsOnStandardInputAndIsNotShown()
    {
        var command = SwarmCommands.Join(Host, Manager, "SWMTKN-secret");

        Assert.DoesNotContain("SWMTKN", command.Line, StringComparison.Ordinal);
        Assert.DoesNotContain("SWMTKN", command.ToStep("host-1").Input, StringComparison.Ordinal);
        Assert.Equal("""{"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.0.0.11","RemoteAddrs":["10.0.0.10:2377"],"JoinToken":"SWMTKN-secret"}""", command.Input);
    }

    [Fact]
    public void Rollout_Lines_AreExactlyThese()
    {
        var commands = new RolloutCommands("lab");
        var secret = new FleetSecret("key", "Access__Keys__client", "content");

        Assert.Equal($"sudo -n docker secret create --label lab.deployment=lab {secret.Name("lab")} -", commands.CreateSecret(secret).Line);
        Assert.Equal("sudo -n docker secret ls --filter label=lab.deployment=lab --format '{{.Name}}'", commands.Secrets.Line);
        Assert.Equal("sudo -n docker stack deploy --resolve-image never --compose-file - lab", commands.Deploy(new System.Text.Json.Nodes.JsonObject()).Line);
        Assert.Equal("sudo -n docker config ls --filter name=lab-release- --format '{{.Name}}'", commands.Releases.Line);
        Assert.Equal("sudo -n timeout 15 docker service logs --raw --tail 50 t1 2>&1", RolloutCommands.TaskLog("t1").Line);
        Assert.Matches("^lab-key-[0-9a-f]{12}$", secret.Name("lab"));
        Assert.DoesNotContain("content", commands.CreateSecret(secret).ToStep("host-1").ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Kill", "docker kill \"$container\"")]
    [InlineData("Freeze", "kill -STOP $(docker inspect --format '\\''{{.State.Pid}}'\\'' \"$container\")")]
    [InlineData("Slow", "docker update --cpus 0.25 \"$container\"")]
    public void Harm_Lines_TouchTheOneContainerOfTheService(string kind, string docker) => Assert.Equal($$"""
        sudo -n sh -ec 'container=$(docker ps --quiet --last 1 --filter label=com.docker.swarm.service.name=lab_worker-a)
        [ -n "$container" ] || { echo "worker-a does not run here" >&2; exit 1; }
        {{docker}}'
        """, HarmCommands.Command("lab", "worker-a", Enum.Parse<Harm>(kind)).Line);

    [Fact]
    public void ReadReleases_Names_AreOrderedByTheirNumber() => Assert.Equal(
        [new KeptRelease("lab-release-000010-b", 10, "b"), new KeptRelease("lab-release-000009-a", 9, "a")],
        new RolloutCommands("lab").ReadReleases("lab-release-000009-a\nlab-release-000010-b\nother\n"));

    [Fact]
    public void Lock_Owner_IsReadAsItWasWritten()
    {
        var owner = new FleetLock("ana@laptop", "publish", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

        Assert.Equal(owner, LockCommands.Read(LockCommands.Write(owner)));
        Assert.Null(LockCommands.Read("\n"));
        Assert.Equal("somebody", LockCommands.Read("torn {")?.Owner);
    }
}
