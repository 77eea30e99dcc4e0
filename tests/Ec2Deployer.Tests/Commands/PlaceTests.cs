using Amazon.EC2.Model;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>A deployment is looked for, changed and forgotten only where it is.</summary>
public sealed class PlaceTests : CommandTest
{
    private static readonly CallerIdentity SomebodyElse = new("999999999999", "arn:aws:iam::999999999999:user/ben");

    public static TheoryData<string> Verbs => ["plan", "publish", "scale --hosts 2", "status", "logs", "ssh host-1", "rollback", "bench", "unlock", "destroy --yes"];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Any_InAnotherRegion_IsRefusedAndNamesWhereTheHostsAre(string verb)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        await RefusedAsync(session, $"{verb} --region us-west-2", 2, "The deployment 'lab' is in us-east-1 (account 123456789012), not in us-west-2. Nothing was changed.");
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Any_WithAnotherAccount_IsRefusedAndNamesIt(string verb)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.StandIn.Options.Identity = SomebodyElse;

        await RefusedAsync(session, verb, 3, "is in us-east-1 (account 123456789012), and these credentials are those of account 999999999999");
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Any_AtAnotherEndpoint_IsRefused(string verb)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        await RefusedAsync(session, $"{verb} --endpoint-url http://127.0.0.1:9", 2, "not at http://127.0.0.1:9/");
    }

    [Fact]
    public async Task Destroy_AwssVariablesNameAnotherEndpoint_IsRefused()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        ConfiguredEndpoint = new Uri("http://127.0.0.1:4566");

        await RefusedAsync(session, "destroy --yes", 2, "AWS_ENDPOINT_URL");
    }

    [Fact]
    public async Task Destroy_EndpointOfThePublish_IsRemembered()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --endpoint-url http://127.0.0.1:4566");

        Assert.Equal(0, (await RunAsync(session, "destroy --yes")).Code);

        Assert.Equal([new("http://127.0.0.1:4566/"), new Uri("http://127.0.0.1:4566/")], Endpoints);
    }

    [Fact]
    public async Task Publish_RefusedBeforeTheFirstHost_HasRememberedItsPlace()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("ImportKeyPair");

        await RunAsync(session, "publish --hosts 1");

        Assert.Equal(new DeploymentPlace("us-east-1", "123456789012", null), session.DirectoryOf().ReadState().Place);
    }

    [Fact]
    public async Task Publish_NoSts_TakesTheAccountFromAGroupsOwner()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Identity = null;
        using var ec2 = session.StandIn.Client();
        await ec2.CreateSecurityGroupAsync(new CreateSecurityGroupRequest { GroupName = "default", Description = "default VPC security group", VpcId = StandIn.Vpc }, Interrupt);
        session.StandIn.Options.Lag = 0;
        await RunAsync(session, "publish --hosts 1");
        session.StandIn.Options.Account = "999999999999";

        await RefusedAsync(session, "destroy --yes", 3, "account 999999999999");
    }

    [Theory]
    [InlineData(false, "Nothing of 'lab' is left")]
    [InlineData(true, "There is nothing of 'lab' in us-east-1. Its keys on this machine are deleted.")]
    public async Task Destroy_HostsEndedByThemselves_ForgetsThemInTheirPlace(bool everything, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await session.StandIn.EndAndForgetAsync(everything);

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains(words, result.Out, StringComparison.Ordinal);
        Assert.True(session.DirectoryOf().IsEmpty);
    }

    [Fact]
    public async Task Destroy_NothingThereAndAccountUnknown_KeepsTheKeysUntilToldOtherwise()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Identity = null;
        await RunAsync(session, "publish --hosts 1");
        await session.StandIn.EndAndForgetAsync(everything: true);

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(1, result.Code);
        Assert.Contains("but this machine knows i-", result.Error, StringComparison.Ordinal);
        Assert.Contains("'destroy --forget'", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(0, (await RunAsync(session, "destroy --yes --forget")).Code);
        Assert.True(session.DirectoryOf().IsEmpty);
    }

    [Fact]
    public async Task Destroy_HostJustAskedForAndNotShownYet_IsWaitedForAndEnded()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        session.StandIn.Options.Fault = action =>
        {
            if (action == "RunInstances") session.StandIn.Options.Lag = 60;
            return null;
        };
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action == "RunInstances") interrupt.Cancel();
            return action == "RunInstances";
        };
        await RunAsync(session, "publish --hosts 1");
        Interrupt = TestContext.Current.CancellationToken;

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains("waiting for EC2 to show what was just asked for", result.Error, StringComparison.Ordinal);
        Assert.Single(session.StandIn.Instances);
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Status_StateOfAnOlderVersion_LearnsItsAccountFromAHostOfOurs()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        ForgetPlace(session);

        await RunAsync(session, "status");

        Assert.Equal("123456789012", session.DirectoryOf().ReadState().Place?.Account);
    }

    [Fact]
    public async Task Publish_StateOfAnOlderVersionAndNoneOfItsHosts_StartsNoOthers()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        ForgetPlace(session);
        await using var elsewhere = await StandIn.StartAsync();
        Regions["us-east-1"] = elsewhere;

        var result = await RunAsync(session, "publish");

        Assert.Equal(3, result.Code);
        Assert.Contains("This machine knows hosts of 'lab' (i-", result.Error, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Mutations);
        Assert.Equal(2, session.DirectoryOf().ReadState().HostKeys.Count);
    }

    [Fact]
    public async Task Destroy_StateOfAnOlderVersionAndSomebodyElsesOfThatName_RemovesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        ForgetPlace(session);
        await using var colleague = await Ec2Session.StartAsync();
        await RunAsync(colleague, "publish --hosts 1");
        Regions["us-east-1"] = colleague.StandIn;
        // Else its identifiers would be the same: each stand-in counts from 1.
        session.DirectoryOf().WriteState(session.DirectoryOf().ReadState() with { HostKeys = new() { ["i-0123456789abcdef0"] = "SHA256:x" } });

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(3, result.Code);
        Assert.Contains("none of the hosts that this machine knows (i-0123456789abcdef0): it may be somebody else's. Nothing was removed.", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, colleague.Alive().Count);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
    }

    private static void ForgetPlace(Ec2Session session) =>
        session.DirectoryOf().WriteState(session.DirectoryOf().ReadState() with { Place = null });

    private async Task RefusedAsync(Ec2Session session, string line, int code, string words)
    {
        var asked = session.StandIn.Mutations.Count;
        var files = Directory.GetFiles(session.DirectoryOf().Path).Order(StringComparer.Ordinal);

        var result = await RunAsync(session, line);

        Assert.Equal((code, ""), (result.Code, result.Out));
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(asked, session.StandIn.Mutations.Count);
        Assert.Equal(files, Directory.GetFiles(session.DirectoryOf().Path).Order(StringComparer.Ordinal));
        Assert.Equal(2, session.Alive().Count);
    }
}
