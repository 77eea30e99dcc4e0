using Amazon;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>Refusals whose words are the same and whose causes are not.</summary>
public sealed class CauseTests
{
    [Theory]
    [InlineData(61, "1h", "behind AWS's")]
    [InlineData(-30, "30m", "ahead of AWS's")]
    public async Task Provision_ClockIsWrong_SaysByHowMuch(int minutes, string difference, string direction)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Clock = TimeSpan.FromMinutes(minutes);

        var error = await FailsAsync(session, "this machine's clock is " + difference, direction, "Set the clock", "Nothing was changed");

        Assert.DoesNotContain("credentials", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AuthFailure")]
    [InlineData("SignatureDoesNotMatch")]
    public async Task Provision_ClockIsWrong_IsToldWhateverEc2CallsIt(string code)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Clock = TimeSpan.FromMinutes(4.5);
        session.StandIn.Options.Fault = _ => new Ec2Fault(code, "AWS was not able to validate the provided access credentials", 401);

        await FailsAsync(session, "this machine's clock is 4m behind AWS's", code);
    }

    [Fact]
    public async Task Provision_RequestExpiredAndClockIsRight_BlamesTheTemporaryCredentials()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = _ => new Ec2Fault("RequestExpired", "Request has expired.");

        await FailsAsync(session, "the credentials have expired (RequestExpired)");
    }

    [Fact]
    public async Task Provision_ZoneDoesNotRunTheType_TakesAnother()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Unsupported.Add("us-east-1a");

        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });

        Assert.DoesNotContain(session.Alive(), instance => instance.Zone == "us-east-1a");
        Assert.Contains(session.Progress.Lines, line => line.Contains("us-east-1a does not run m7i-flex.large, trying us-east-1b", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Provision_NoZoneRunsTheType_IsNoLackOfCapacity()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Unsupported.UnionWith(["us-east-1a", "us-east-1b", "us-east-1c"]);

        var error = await FailsAsync(session, "m7i-flex.large does not run in any of the zones of us-east-1", "not supported in your requested Availability Zone", "--instance-type (", "--region");

        Assert.DoesNotContain("capacity", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Wait some minutes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("us-east-1a")]
    [InlineData("us-east-1c")]
    public async Task Provision_OneZoneIsFullAndTheOthersNeverRunTheType_SaysToWait(string full)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.NoCapacity.Add(full);
        session.StandIn.Options.Unsupported.UnionWith(((string[])["us-east-1a", "us-east-1b", "us-east-1c"]).Where(zone => zone != full));

        await FailsAsync(session, "InsufficientInstanceCapacity", "Wait some minutes");
    }

    [Fact]
    public async Task Provision_RegionOfAnotherPartition_SaysThatDebianHasAnotherAccountThere()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Images.Clear();

        await FailsAsync(session, Ec2Session.Options with { Region = "cn-north-1" }, "In the partition aws-cn Debian has another account", "--image-owner");
    }

    [Fact]
    public void Error_EveryRegionThatTheSdkKnows_IsNone() =>
        Assert.All(RegionEndpoint.EnumerableAllRegions.Where(region => region.SystemName != "us-east-1-regional"), region => Assert.Null(RegionName.Error(region.SystemName)));

    [Theory]
    [InlineData("us-gov-west-1")]
    [InlineData("cn-north-1")]
    [InlineData("us-isob-east-1")]
    [InlineData("eu-isoe-west-1")]
    [InlineData("eusc-de-east-1")]
    [InlineData("mx-central-1")]
    [InlineData("ap-southeast-12")]
    public void Error_RegionOfAnyPartition_IsNone(string region) => Assert.Null(RegionName.Error(region));

    [Theory]
    [InlineData("us-east-1a", "a region ends with its digit, as us-east-1 does")]
    [InlineData("us-west-2-lax-1a", "a region ends with its digit, as us-west-2 does")]
    [InlineData("us-gov-west-1b", "a region ends with its digit, as us-gov-west-1 does")]
    [InlineData("US-East-1", "is no region: such as us-east-1")]
    [InlineData("virginia", "is no region: such as us-east-1")]
    [InlineData("us-east-1\n", "is no region: such as us-east-1")]
    [InlineData("", "is no region: such as us-east-1")]
    public void Error_NoRegion_SaysWhatOneIs(string region, string words) => Assert.Contains(words, RegionName.Error(region), StringComparison.Ordinal);

    private static Task<DeploymentException> FailsAsync(Ec2Session session, params string[] words) => FailsAsync(session, Ec2Session.Options, words);

    private static async Task<DeploymentException> FailsAsync(Ec2Session session, DeploymentOptions options, params string[] words)
    {
        var error = await Assert.ThrowsAsync<DeploymentException>(() => session.ProvisionAsync(options));
        Assert.Equal(ExitCode.AwsRefused, error.Code);
        Assert.DoesNotContain('\n', error.Message);
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        return error;
    }
}
