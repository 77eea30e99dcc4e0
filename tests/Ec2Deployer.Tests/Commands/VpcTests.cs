using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>A VPC of the user's, with public and private subnets in two zones and one zone without a way out.</summary>
public sealed class VpcTests : CommandTest
{
    private const string Vpc = "vpc-00000001";
    private const string PublicA = "subnet-0000a001", PrivateA = "subnet-0000a002", PublicB = "subnet-0000b001", PrivateB = "subnet-0000b002", ClosedC = "subnet-0000c001";

    [Theory]
    [InlineData("no", PublicA, PublicB)]
    [InlineData("yes", PrivateA, PrivateB)]
    public async Task Publish_Vpc_TakesInEachZoneASubnetWithAWayOut(string isPrivate, string inA, string inB)
    {
        await using var session = await StartAsync();

        var result = await RunAsync(session, $"publish --hosts 3 --vpc {Vpc} --private-address {isPrivate}");

        Assert.True(result.Code == 0, result.Error);
        Assert.Equal([inA, inA, inB, inB], session.Alive().Select(instance => instance.SubnetId).Order(StringComparer.Ordinal));
        Assert.All(session.Alive(), instance => Assert.Equal(isPrivate == "no", instance.WantsPublicAddress));
        Assert.Contains($"No host is put into us-east-1c: no subnet of {Vpc} there has a way out (of {ClosedC}, rtb-main-{Vpc} has no route for 0.0.0.0/0).", result.Error, StringComparison.Ordinal);
        Assert.All(session.StandIn.Requests.Where(request => request["Action"] == "CreateSecurityGroup" && request["DryRun"] is null), request => Assert.Equal(Vpc, request["VpcId"]));
    }

    [Fact]
    public async Task Publish_Vpc_HoldsForHostsThatComeLater()
    {
        await using var session = await StartAsync();
        await RunAsync(session, $"publish --hosts 1 --vpc {Vpc}");
        var before = session.StandIn.Mutations.Count;

        Assert.Equal(0, (await RunAsync(session, "publish")).Code);
        Assert.Equal(before, session.StandIn.Mutations.Count);
        Assert.Equal(0, (await RunAsync(session, "scale --hosts 2")).Code);
        Assert.All(session.Alive(), instance => Assert.Contains(instance.SubnetId, (string[])[PublicA, PublicB]));
    }

    [Theory]
    [InlineData("--vpc vpc-1", (int)ExitCode.Usage, "--vpc 'vpc-1' is no VPC")]
    [InlineData("--vpc vpc-0000000f", (int)ExitCode.AwsRefused, "us-east-1 has no vpc-0000000f in this account, or no subnet is in it")]
    [InlineData("--vpc vpc-00000002", (int)ExitCode.Usage, "No host in vpc-00000002 can fetch its packages: of subnet-0000d001 (us-east-1a) rtb-main-vpc-00000002 has no route for 0.0.0.0/0")]
    [InlineData("--vpc vpc-00000002 --private-address yes", (int)ExitCode.Usage, "to a NAT gateway or a transit gateway")]
    [InlineData("--vpc vpc-00000003", (int)ExitCode.AwsRefused, "has no vpc-00000003 in this account, or no subnet is in it")]
    [InlineData($"--vpc {Vpc} --subnet subnet-0000000a", (int)ExitCode.Usage, $"subnet-0000000a is in vpc-0d, not in --vpc {Vpc}")]
    public async Task Publish_VpcThatCannotBe_ChangesNothing(string options, int code, string words)
    {
        await using var session = await StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 {options}");

        Assert.Equal(code, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Publish_VpcAndSubnet_TakesTheSubnet()
    {
        await using var session = await StartAsync();

        Assert.Equal(0, (await RunAsync(session, $"publish --hosts 1 --vpc {Vpc} --subnet {PublicB}")).Code);
        Assert.All(session.Alive(), instance => Assert.Equal(PublicB, instance.SubnetId));
    }

    [Fact]
    public async Task Publish_RouteTablesMayNotBeAskedFor_SaysHowElse()
    {
        await using var session = await StartAsync();
        session.StandIn.Options.Denied.Add("DescribeRouteTables");

        var result = await RunAsync(session, $"publish --hosts 1 --vpc {Vpc}");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Contains("or name the subnets with --subnet", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Publish_AnotherVpcThanTheDeploymentsOwn_IsRefused()
    {
        await using var session = await StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, $"publish --hosts 2 --vpc {Vpc}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains($"The deployment 'lab' is in {StandIn.Vpc}, and {PublicA} is in {Vpc}", result.Error, StringComparison.Ordinal);
    }

    private static async Task<Ec2Session> StartAsync()
    {
        var session = await Ec2Session.StartAsync();
        var options = session.StandIn.Options;
        options.Subnets.AddRange(
        [
            new(PublicA, "us-east-1a", Vpc), new(PrivateA, "us-east-1a", Vpc), new(PublicB, "us-east-1b", Vpc), new(PrivateB, "us-east-1b", Vpc), new(ClosedC, "us-east-1c", Vpc),
            new("subnet-0000d001", "us-east-1a", "vpc-00000002"), new("subnet-0000d002", "us-east-1a", "vpc-00000003", IsIpv6Native: true),
        ]);
        (options.Routes[PublicA], options.Routes[PublicB]) = ("igw-2", "igw-2");
        (options.Routes[PrivateA], options.Routes[PrivateB]) = ("nat-2", "tgw-2");
        return session;
    }
}
