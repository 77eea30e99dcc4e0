using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What EC2 tells for nothing is asked before anything is started: permissions, quotas, the type, and the way out of subnets.</summary>
public sealed class LaunchCheckTests : CommandTest
{
    [Theory]
    [InlineData("RunInstances")]
    [InlineData("CreateTags")]
    [InlineData("CreateSecurityGroup")]
    [InlineData("ImportKeyPair")]
    public async Task Publish_PermissionMissing_NamesItAndChangesNothing(string action)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add(action);

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Contains($"not authorized to perform: ec2:{action}", result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was started.", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Theory]
    [InlineData("VcpuLimitExceeded", "quota of running processors")]
    [InlineData("PendingVerification", "not ready for EC2")]
    [InlineData("OptInRequired", "not ready for EC2")]
    public async Task Publish_AccountRefusesALaunch_IsToldBeforeOne(string code, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.DryRunFault = action => action == "RunInstances" ? new Ec2Fault(code, "No.") : null;

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Publish_ZoneFullAtTheQuestion_IsNoReasonToStop()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.DryRunFault = action => action == "RunInstances" ? Ec2Fault.NoCapacity("us-east-1a") : null;

        Assert.Equal(0, (await RunAsync(session, "publish --hosts 1")).Code);
    }

    [Fact]
    public async Task Publish_ReadPermissionsMissing_SaysWhatWasNotChecked()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.UnionWith(["DescribeInstanceTypes", "DescribeRouteTables"]);

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(0, result.Code);
        Assert.Contains("What ec2:DescribeInstanceTypes tells was not checked", result.Error, StringComparison.Ordinal);
        Assert.Contains("What ec2:DescribeRouteTables tells was not checked", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "m7i-flex.large", false)]
    [InlineData("--instance-type m5.large", "m5.large", true)]
    public async Task Plan_Launches_TellVcpusQuotaAndFreePlan(string options, string type, bool closed)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --name other");

        var result = await RunAsync(session, $"plan {options}");

        Assert.Equal(0, result.Code);
        Assert.Contains("New hosts need 10 vCPUs; the account runs 4 on demand in us-east-1", result.Out, StringComparison.Ordinal);
        Assert.Contains("(L-1216C47A) must allow 14.", result.Out, StringComparison.Ordinal);
        Assert.Equal(closed, result.Out.Contains($"{type} is not open to accounts on AWS's free plan", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("yes", null, "rtb-main has no route for 0.0.0.0/0")]
    [InlineData("yes", "igw-1", "rtb-main leads 0.0.0.0/0 to an internet gateway, which is no use without a public address")]
    [InlineData("no", null, "rtb-main has no route for 0.0.0.0/0")]
    [InlineData("no", "nat-1", "rtb-main leads 0.0.0.0/0 to no internet gateway")]
    public async Task Publish_SubnetsWithoutAWayOut_AreNamedAtOnce(string isPrivate, string? route, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.MainRoute = route;

        var result = await RunAsync(session, $"publish --hosts 1 --private-address {isPrivate}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("No host in subnet-0000000a, subnet-0000000b, subnet-0000000c can fetch its packages", result.Error, StringComparison.Ordinal);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was started.", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Theory]
    [InlineData("nat-1")]
    [InlineData("tgw-1")]
    [InlineData("vgw-1")]
    public async Task Publish_PrivateSubnetsWithAWayOut_AreUsed(string route)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.MainRoute = route;

        Assert.Equal(0, (await RunAsync(session, "publish --hosts 1 --private-address yes")).Code);
    }

    [Fact]
    public async Task Publish_OneSubnetWithoutAWayOut_IsAvoided()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Routes["subnet-0000000a"] = null;

        var result = await RunAsync(session, "publish --hosts 2");

        Assert.Equal(0, result.Code);
        Assert.Contains("No host is put into subnet-0000000a (us-east-1a): rtb-subnet-0000000a has no route", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(session.Alive(), instance => instance.SubnetId == "subnet-0000000a");
    }

    [Fact]
    public async Task Publish_GivenSubnets_HoldUntilOthersAreGiven()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --subnet subnet-0000000b --subnet subnet-0000000c");
        await RunAsync(session, "scale --hosts 3");

        Assert.Equal(["subnet-0000000b", "subnet-0000000b", "subnet-0000000c", "subnet-0000000c"], session.Alive().Select(instance => instance.SubnetId).Order(StringComparer.Ordinal));

        var back = await RunAsync(session, "publish --hosts 4 --subnet ,");

        Assert.True(back.Code == 0, back.Error);
        Assert.Contains(session.Alive(), instance => instance.SubnetId == "subnet-0000000a");
    }

    [Theory]
    [InlineData("--subnet vpc-1", (int)ExitCode.Usage, "--subnet 'vpc-1' is no subnet")]
    [InlineData("--subnet subnet-0000000f", (int)ExitCode.AwsRefused, "a subnet does not exist in us-east-1")]
    [InlineData("--subnet subnet-0000000e", (int)ExitCode.AwsRefused, "none has one of the given subnets")]
    public async Task Publish_SubnetThatCannotBe_ChangesNothing(string option, int code, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 {option}");

        Assert.Equal(code, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }
}
