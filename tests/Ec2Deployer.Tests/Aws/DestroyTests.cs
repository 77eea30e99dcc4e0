using Amazon.EC2.Model;
using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class DestroyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Destroy_RunningAndStoppedHosts_LeavesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        var provisioned = await session.ProvisionAsync();
        using var ec2 = session.StandIn.Client();
        await ec2.StopInstancesAsync(new StopInstancesRequest { InstanceIds = [provisioned.Hosts[1].InstanceId] }, Cancellation);

        await session.DestroyAsync();

        Assert.Empty(session.Alive());
        Assert.Empty(session.StandIn.Groups);
        Assert.Empty(session.StandIn.Keys);
        Assert.Empty(session.StandIn.Volumes);
        Assert.Empty(session.Hosts.Running);
        Assert.False(File.Exists(session.DirectoryOf().PrivateKeyFile));
    }

    [Fact]
    public async Task Destroy_AgainOrNothingThere_ChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();
        await session.DestroyAsync();
        var mutations = session.StandIn.Mutations.Count;

        await session.DestroyAsync();

        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Destroy_OneOfTwoDeployments_LeavesTheOther()
    {
        await using var session = await Ec2Session.StartAsync();
        var other = Ec2Session.Options with { Name = "lab2", Hosts = 1 };
        await session.ProvisionAsync();
        var kept = await session.ProvisionAsync(other);

        await session.DestroyAsync();

        Assert.Empty(session.Alive());
        Assert.Equal(2, session.Alive("lab2").Count);
        Assert.Equal(["lab2/fleet", "lab2/front"], session.StandIn.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        var again = await session.ProvisionAsync(other);
        Assert.Equal(0, again.Calls);
        Assert.Equal(kept.Hosts, again.Hosts);
    }

    [Fact]
    public async Task Destroy_InterruptedAfterEachChangeInTurn_EndsWithNothing()
    {
        int changes;
        await using (var whole = await Ec2Session.StartAsync())
        {
            await whole.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
            var before = whole.StandIn.Mutations.Count;
            await whole.DestroyAsync();
            changes = whole.StandIn.Mutations.Count - before;
        }

        // Instances, the address, the rules of both groups, the groups, the key pair.
        Assert.Equal(7, changes);
        for (var cut = 1; cut <= changes; cut++)
        {
            await using var session = await Ec2Session.StartAsync();
            await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var seen = 0;
            session.StandIn.Options.LoseAnswer = _ =>
            {
                if (++seen != cut) return false;
                interrupt.Cancel();
                return true;
            };
            var deployment = session.Deployment();
            var operation = new DestroyOperation(deployment, session.DirectoryOf());
            var belongings = await operation.ListAsync(Ec2Session.Options, Cancellation);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => operation.RunAsync(Ec2Session.Options, belongings, session.Progress, interrupt.Token));
            session.StandIn.Options.LoseAnswer = null;

            await session.DestroyAsync();

            Assert.Empty(session.Alive());
            Assert.Empty(session.StandIn.Groups);
            Assert.Empty(session.StandIn.Keys);
            Assert.Empty(session.StandIn.Addresses);
        }
    }

    [Fact]
    public async Task Destroy_AndProvisionAgain_StartsNewHosts()
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync();
        await session.DestroyAsync();

        var second = await session.ProvisionAsync();

        Assert.Equal(5, session.Alive().Count);
        Assert.Empty(first.Hosts.Select(host => host.InstanceId).Intersect(second.Hosts.Select(host => host.InstanceId)));
    }

    [Fact]
    public async Task Destroy_DetachedDisk_IsRemovedToo()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
        session.StandIn.Volumes.First().InstanceId = null;

        await session.DestroyAsync();

        Assert.Empty(session.StandIn.Volumes);
    }
}
