using Amazon.EC2;
using Amazon.Runtime;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class RefusalTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Provision_ActionNotAllowed_SaysWhichAndNoMore()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("RunInstances");

        var error = await FailsAsync(session, ExitCode.AwsRefused, "ec2:RunInstances", "lack the permission", "What was done before it stands");

        Assert.DoesNotContain("xxxx", error.Message, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Provision_NoZoneHasCapacity_SaysWhatElseToTake()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.NoCapacity.UnionWith(["us-east-1a", "us-east-1b", "us-east-1c"]);

        await FailsAsync(session, ExitCode.AwsRefused, "no zone of us-east-1 can run another m7i-flex.large", "--instance-type");

        Assert.Equal(3, session.StandIn.Requests.Count(request => request["Action"] == "RunInstances"));
    }

    [Fact]
    public async Task Provision_QuotaUsedUp_SaysWhichQuota()
    {
        await using var session = await Ec2Session.StartAsync();
        var launches = 0;
        session.StandIn.Options.Fault = action => action == "RunInstances" && ++launches > 2 ? Ec2Fault.VcpuLimit : null;

        await FailsAsync(session, ExitCode.AwsRefused, "quota", "VcpuLimitExceeded", "limit of 5", "creating host-2", "cost money until 'destroy'");
    }

    [Fact]
    public async Task Provision_CredentialsExpired_SaysToRenewThem()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = _ => Ec2Fault.Expired;

        await FailsAsync(session, ExitCode.AwsRefused, "credentials have expired", "Nothing was changed", "Renew them");
    }

    [Fact]
    public async Task Provision_CredentialsUnknown_SaysWhatToCheck()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = _ => Ec2Fault.BadKeys;

        await FailsAsync(session, ExitCode.AwsRefused, "does not accept the credentials", "AWS_PROFILE", "partition");
    }

    [Fact]
    public async Task Provision_GroupOfThatNameIsSomebodyElses_LeavesItAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Lag = 0;
        using var ec2 = session.StandIn.Client();
        await ec2.CreateSecurityGroupAsync(new Amazon.EC2.Model.CreateSecurityGroupRequest { GroupName = "lab/front", Description = "Mine", VpcId = StandIn.Vpc }, Cancellation);

        var error = await Assert.ThrowsAsync<DeploymentException>(() => session.Deployment(pace: Ec2Session.Pace with { Consistency = TimeSpan.FromMilliseconds(50) })
            .ProvisionAsync(Ec2Session.Options, null, session.Progress, Cancellation));

        AssertParagraph(error, ExitCode.AwsRefused, "lab/front", "not this deployer's", "--name");
    }

    [Fact]
    public async Task Provision_KeyOfRunningHostsIsElsewhere_ChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();
        File.Delete(session.DirectoryOf().PrivateKeyFile);
        var mutations = session.StandIn.Mutations.Count;

        await FailsAsync(session, ExitCode.Failed, "another SSH key", "Nothing was changed");

        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Provision_ConsoleStaysEmpty_SaysHowToGoOn()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.EmptyConsoleReads = int.MaxValue;

        var error = await Assert.ThrowsAsync<DeploymentException>(() => session.Deployment(pace: Ec2Session.Pace with { HostKeys = TimeSpan.FromMilliseconds(50) })
            .ProvisionAsync(Ec2Session.Options, null, session.Progress, Cancellation));

        AssertParagraph(error, ExitCode.HostFailed, "orchestrator, host-1", "--accept-new-host-key");
    }

    [Fact]
    public async Task Provision_ConsoleStaysEmptyAndAnyKeyAccepted_PinsNone()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.EmptyConsoleReads = int.MaxValue;

        var provisioned = await session.ProvisionAsync(Ec2Session.Options with { AcceptNewHostKey = true });

        Assert.All(provisioned.Hosts, host => Assert.Null(host.HostKey));
    }

    [Fact]
    public async Task Provision_TypeNotOffered_SaysSo()
    {
        await using var session = await Ec2Session.StartAsync();

        var error = await Assert.ThrowsAsync<DeploymentException>(() => session.ProvisionAsync(Ec2Session.Options with { InstanceType = "x9.large" }));

        AssertParagraph(error, ExitCode.AwsRefused, "us-east-1 does not offer x9.large", "Nothing was changed");
    }

    [Fact]
    public async Task Provision_NobodyListens_SaysThatEc2CannotBeReached()
    {
        await using var session = await Ec2Session.StartAsync();
        using var gone = new AmazonEC2Client(new BasicAWSCredentials("AKIDEXAMPLE", "secret"),
            new AmazonEC2Config { ServiceURL = "http://127.0.0.1:1", AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 });
        var deployment = new Ec2Deployment(gone, session.DirectoryOf(), Ec2Session.Pace with { Faults = TimeSpan.FromMilliseconds(20) }, TimeProvider.System);

        var error = await Assert.ThrowsAsync<DeploymentException>(() => deployment.PlanAsync(Ec2Session.Options, null, Cancellation));

        AssertParagraph(error, ExitCode.AwsRefused, "EC2 cannot be reached in us-east-1", "--endpoint-url");
    }

    private static async Task<DeploymentException> FailsAsync(Ec2Session session, ExitCode code, params string[] words)
    {
        var error = await Assert.ThrowsAsync<DeploymentException>(() => session.ProvisionAsync());
        AssertParagraph(error, code, words);
        return error;
    }

    private static void AssertParagraph(DeploymentException error, ExitCode code, params string[] words)
    {
        Assert.Equal(code, error.Code);
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 80, 900);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.OrdinalIgnoreCase));
    }
}
