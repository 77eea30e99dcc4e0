using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class PriceTableTests
{
    [Theory]
    [InlineData("us-east-1", "m7i-flex.large", "2026-07-20", 0.10251)]
    [InlineData("us-east-1", "m4.large", "2026-07-20", 0.10675)]
    [InlineData("eu-central-1", "m7i-flex.large", "2025-09-01", 0.12180)]
    [InlineData("ap-northeast-1", "m5.large", "2025-09-01", 0.13110)]
    public void Of_OneHost_AddsDiskAndAddress(string region, string type, string asOf, double hourly)
    {
        var cost = PriceTable.Bundled.Of(region, [type], 16, publicAddresses: true);

        Assert.Equal(DateOnly.Parse(asOf, System.Globalization.CultureInfo.InvariantCulture), cost.AsOf);
        Assert.Equal(hourly, (double)cost.HourlyUsd!.Value, 5);
    }

    [Theory]
    [InlineData("eu-central-2", "m5.large")]
    [InlineData("us-east-1", "x9.large")]
    // The table has no price of its disks.
    [InlineData("us-gov-west-1", "m5.large")]
    public void Of_SomethingUnknown_IsUnknown(string region, string type) => Assert.Null(PriceTable.Bundled.Of(region, [type], 16, publicAddresses: false).HourlyUsd);

    [Fact]
    public void Knows_DefaultType_InMoreRegionsThanTheLettersType()
    {
        string[] regions = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
            "ap-east-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"];

        Assert.All(regions, region => Assert.True(PriceTable.Bundled.Knows(region, DeploymentOptions.DefaultInstanceType), region));
        Assert.Equal(14, regions.Count(region => PriceTable.Bundled.Knows(region, "m4.large")));
    }
}
