using Amazon.EC2.Model;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Two people in one account: whose deployment is whose.</summary>
public sealed class OwnerTests : CommandTest
{
    private const string Account = "123456789012";

    [Theory]
    [InlineData("arn:aws:iam::123456789012:user/ana", "ana")]
    [InlineData("arn:aws:iam::123456789012:user/students/2026/ana.b@school-1.org", "ana.b@school-1.org")]
    [InlineData("arn:aws:iam::123456789012:root", "root")]
    [InlineData("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Student_0123456789abcdef/ana@school.org", "ana@school.org")]
    [InlineData("arn:aws:sts::123456789012:assumed-role/Builder/i-0123456789abcdef0", "i-0123456789abcdef0")]
    [InlineData("arn:aws:sts::123456789012:assumed-role/Lab/aws-dotnet-sdk-session-639315447492408398", "Lab")]
    [InlineData("arn:aws:sts::123456789012:assumed-role/Lab/botocore-session-1795947492", "Lab")]
    [InlineData("arn:aws:sts::123456789012:assumed-role/Lab/b0d05892-e256-4cc1-8661-ad54f11f7270", "Lab")]
    [InlineData("", null)]
    public void Owner_Unsaid_IsWhatStaysTheSameOfTheArn(string arn, string? owner) => Assert.Equal(owner, Ownership.Of(arn));

    [Fact]
    public async Task Publish_ByDefault_TagsAndNamesByTheCaller()
    {
        await using var session = await Ec2Session.StartAsync();

        await RunAsync(session, "publish --hosts 1");

        Assert.All(session.Alive(), instance => Assert.Equal("ana", instance.Tags["lab:owner"]));
        Assert.All(session.StandIn.Volumes, volume => Assert.Equal("ana", volume.Tags["lab:owner"]));
        Assert.All(session.StandIn.Interfaces, network => Assert.Equal("ana", network.Tags["lab:owner"]));
        Assert.Equal(["lab/ana/fleet", "lab/ana/front"], session.StandIn.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        Assert.Equal("lab/ana/deployer", Assert.Single(session.StandIn.Keys).Name);
    }

    [Theory]
    [InlineData("publish --hosts 1")]
    [InlineData("destroy --yes")]
    [InlineData("status")]
    [InlineData("scale --hosts 3")]
    [InlineData("plan")]
    public async Task Any_DeploymentOfSomebodyElse_IsNamedAndLeftAlone(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" });
        await using var ben = OtherMachine(session, "ben");
        var mutations = session.StandIn.Mutations.Count;

        var result = await RunAsync(ben.Session, line);

        Assert.Equal(2, result.Code);
        Assert.Equal("The deployment 'lab' in us-east-1 belongs to ana, and you are ben. Nothing was changed. Take another --name, or say whose you mean: --owner ana for that one, --owner ben for one of your own of the same name.\n", result.Error);
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal(2, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_OwnerSaidBesideAnother_BothLiveAndOneIsDestroyed()
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" });
        await using var ben = OtherMachine(session, "ben");

        var published = await RunAsync(ben.Session, "publish --hosts 2 --owner ben");
        Assert.Equal(0, published.Code);
        Assert.Contains("Another 'lab' in us-east-1 belongs to ana and is left alone", published.Error, StringComparison.Ordinal);
        Assert.Equal(5, session.Alive().Count);
        Assert.Equal(0, (await RunAsync(ben.Session, "status")).Code);
        var listed = (await RunAsync(ben.Session, "list")).Out.Split('\n').Where(line => line.StartsWith("  lab ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["2", "3"], listed.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]));
        Assert.Equal(["–", "here"], listed.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1]));

        // Whose it is was remembered.
        var destroyed = await RunAsync(ben.Session, "destroy --yes");

        Assert.Equal(0, destroyed.Code);
        Assert.Equal(first.Hosts.Select(host => host.InstanceId).Order(), session.Alive().Select(instance => instance.Id).Order());
        Assert.Equal(["lab/ana/fleet", "lab/ana/front"], session.StandIn.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        Assert.Equal("lab/ana/deployer", Assert.Single(session.StandIn.Keys).Name);
        Assert.Equal(0, (await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" })).Calls);
    }

    [Fact]
    public async Task Destroy_OwnerSaid_RemovesThatOnesDeployment()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" });
        await using var ben = OtherMachine(session, "ben");

        Assert.Equal(0, (await RunAsync(ben.Session, "destroy --yes --owner ana")).Code);

        Assert.Empty(session.Alive());
        Assert.Empty(session.StandIn.Groups);
    }

    [Fact]
    public async Task Destroy_AnothersWhereNobodyKnowsWhoseTheKeysAre_KeepsThem()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" });
        // The account is known from now on, the owner is not.
        await RunAsync(session, "status");

        var result = await RunAsync(session, "destroy --yes --owner ben");

        Assert.Equal(1, result.Code);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(2, session.Alive().Count);
        Assert.Equal(0, (await RunAsync(session, "destroy --yes")).Code);
        Assert.True(session.DirectoryOf().IsEmpty);
    }

    [Fact]
    public async Task Publish_WithoutOwnerFromBefore_KeepsNamesAndTagsEverything()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });

        var result = await RunAsync(session, "publish --hosts 2 --ssh-from 203.0.113.7 --http-from 203.0.113.0/24");

        Assert.Equal(0, result.Code);
        Assert.Equal(3, session.Alive().Count);
        Assert.Subset(session.Alive().Select(instance => instance.Id).ToHashSet(), before.Hosts.Select(host => host.InstanceId).ToHashSet());
        Assert.Equal(["lab/fleet", "lab/front"], session.StandIn.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        Assert.All(
            session.Alive().Cast<StandInResource>().Concat(session.StandIn.Groups).Concat(session.StandIn.Keys).Concat(session.StandIn.Volumes).Concat(session.StandIn.Interfaces),
            resource => Assert.Equal("ana", resource.Tags["lab:owner"]));
        var mutations = session.StandIn.Mutations.Count;
        await RunAsync(session, "publish");
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Publish_TakenOverAndInterruptedAfterEachTag_StaysOneOwners()
    {
        for (var cut = 1; cut <= 6; cut++)
        {
            await using var session = await Ec2Session.StartAsync();
            await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
            using var interrupt = new CancellationTokenSource();
            var seen = 0;
            session.StandIn.Options.LoseAnswer = action =>
            {
                if (action != "CreateTags" || ++seen != cut) return false;
                interrupt.Cancel();
                return true;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ProvisionAsync(Ec2Session.Options with { Hosts = 1, Owner = "ana" }, interrupt.Token));
            session.StandIn.Options.LoseAnswer = null;

            // The rest is ana's already, and nobody else's.
            await using var ben = OtherMachine(session, "ben");
            Assert.Equal(2, (await RunAsync(ben.Session, "destroy --yes")).Code);
            await session.DestroyAsync(Ec2Session.Options with { Owner = "ana" });
            Assert.Empty(session.Alive());
            Assert.Empty(session.StandIn.Groups);
            Assert.Empty(session.StandIn.Keys);
        }
    }

    [Fact]
    public async Task Publish_KeyPairOfThatNameWithoutTag_IsToldAndLeftAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        using var ec2 = session.StandIn.Client();
        await ec2.ImportKeyPairAsync(new ImportKeyPairRequest
        {
            KeyName = "lab/ana/deployer",
            PublicKeyMaterial = Convert.ToBase64String("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther"u8),
        }, TestContext.Current.CancellationToken);

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(3, result.Code);
        Assert.Contains("lab/ana/deployer", result.Error, StringComparison.Ordinal);
        Assert.Contains("not this deployer's and was not touched. Take another --name", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Instances);
        // Nor does 'destroy' take it.
        Assert.Equal(0, (await RunAsync(session, "destroy --yes")).Code);
        Assert.Contains("AAAAC3NzaC1lZDI1NTE5AAAAIOther", Assert.Single(session.StandIn.Keys).PublicKey, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_NobodyKnowsWhoCalls_WorksAndTakesUpAnOwnerLater()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Identity = null;
        Assert.Equal(0, (await RunAsync(session, "publish --hosts 1")).Code);
        Assert.DoesNotContain("lab:owner", session.Alive()[0].Tags.Keys);
        session.StandIn.Options.Identity = new CallerIdentity(Account, $"arn:aws:iam::{Account}:user/ana");

        Assert.Equal(0, (await RunAsync(session, "publish")).Code);

        Assert.Equal(2, session.Alive().Count);
        Assert.All(session.Alive(), instance => Assert.Equal("ana", instance.Tags["lab:owner"]));
    }

    [Theory]
    [InlineData("publish --owner ben")]
    [InlineData("destroy --yes --owner ben")]
    public async Task Any_AnotherOwnerOnTheSameMachine_LeavesWhatItKeeps(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var mutations = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, line);

        Assert.Equal(2, result.Code);
        Assert.Contains("What this machine keeps of 'lab' is ana's, not ben's", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Publish_GroupOfThatNameWithoutTag_IsToldAtOnceAndLeftAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        using var ec2 = session.StandIn.Client();
        await ec2.CreateSecurityGroupAsync(new CreateSecurityGroupRequest { GroupName = "lab/ana/front", Description = "Mine", VpcId = StandIn.Vpc }, TestContext.Current.CancellationToken);

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(3, result.Code);
        Assert.Contains("security group lab/ana/front failed", result.Error, StringComparison.Ordinal);
        Assert.Contains("not this deployer's and was not touched", result.Error, StringComparison.Ordinal);
        await RunAsync(session, "destroy --yes");
        Assert.Equal("lab/ana/front", Assert.Single(session.StandIn.Groups).Name);
    }

    [Fact]
    public async Task Any_OwnerThatCannotBeOne_EndsWithTwo()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "publish --owner a/b");

        Assert.Equal(2, result.Code);
        Assert.Contains("--owner 'a/b' is no owner", result.Error, StringComparison.Ordinal);
    }

    /// <summary>The same account from another machine, by another caller.</summary>
    private static Machine OtherMachine(Ec2Session session, string user)
    {
        session.StandIn.Options.Identity = new CallerIdentity(Account, $"arn:aws:iam::{Account}:user/{user}");
        return new(session.Elsewhere());
    }

    private sealed record Machine(Ec2Session Session) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Session.Forget();
            return ValueTask.CompletedTask;
        }
    }
}
