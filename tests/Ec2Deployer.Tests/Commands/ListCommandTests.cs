using System.Globalization;
using System.Text.Json;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Every deployment of an account, wherever it is.</summary>
public sealed class ListCommandTests : CommandTest
{
    [Fact]
    public async Task List_TwoRegionsAndOneThatRefuses_TellsAllThree()
    {
        await using var session = await Ec2Session.StartAsync();
        await using var ireland = await StandIn.StartAsync();
        await using var refusing = await StandIn.StartAsync();
        await PublishInBothAsync(session, ireland, refusing);

        var result = await RunAsync(session, "list");

        Assert.Equal(0, result.Code);
        var rows = result.Out.Split('\n').Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        Assert.Equal("Deployments in account 123456789012, 2 regions asked:", rows[0][0]);
        Assert.Equal(["name", "region", "running", "stopped", "age", "owner", "$/h", "keys"], rows[1]);
        var price = PriceTable.Bundled.Of("us-east-1", ["m4.large", "m4.large"], 16, publicAddresses: true).HourlyUsd!.Value;
        Assert.Equal(["lab", "us-east-1", "2", "0"], rows[2][..4]);
        Assert.Equal(["ana", price.ToString("F3", CultureInfo.InvariantCulture), "here"], rows[2][5..]);
        // Published from another machine: nothing of it is here.
        Assert.Equal(["other", "eu-west-1", "1", "1"], rows[3][..4]);
        Assert.Equal("–", rows[3][^1]);
        Assert.Contains("! not seen: ap-east-1 (UnauthorizedOperation)", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Json_HasTheSame()
    {
        await using var session = await Ec2Session.StartAsync();
        await using var ireland = await StandIn.StartAsync();
        await using var refusing = await StandIn.StartAsync();
        await PublishInBothAsync(session, ireland, refusing);
        session.DirectoryOf("gone").WriteState(new() { Place = new("us-west-2", "999999999999", null) });

        using var list = JsonDocument.Parse((await RunAsync(session, "list --json")).Out);

        var deployments = list.RootElement.GetProperty("deployments").EnumerateArray().ToList();
        Assert.Equal(["lab", "other"], deployments.Select(one => one.GetProperty("name").GetString()));
        Assert.Equal([0, 1], deployments.Select(one => one.GetProperty("stopped").GetInt32()));
        Assert.All(deployments, one => Assert.InRange(one.GetProperty("age_seconds").GetInt64(), 0, 600));
        Assert.Equal("ap-east-1", Assert.Single(list.RootElement.GetProperty("refused").EnumerateArray()).GetProperty("region").GetString());
        Assert.Equal("999999999999", Assert.Single(list.RootElement.GetProperty("not_seen").EnumerateArray()).GetProperty("account").GetString());
    }

    [Fact]
    public async Task List_OneRegion_AsksThatOneAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("DescribeRegions");

        var all = await RunAsync(session, "list");
        var one = await RunAsync(session, "list --region us-east-1");

        Assert.Equal((3, 0), (all.Code, one.Code));
        Assert.Contains("--region asks one alone", all.Error, StringComparison.Ordinal);
        Assert.Contains("There is no deployment in account 123456789012, 1 region asked.", one.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_EveryRegionRefuses_EndsWithThree()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("DescribeVolumes");

        var result = await RunAsync(session, "list");

        Assert.Equal((3, ""), (result.Code, result.Out));
        Assert.Contains("us-east-1 (UnauthorizedOperation)", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_WithoutCredentials_EndsWithThree()
    {
        await using var session = await Ec2Session.StartAsync();
        HasCredentials = false;

        var result = await RunAsync(session, "list");

        Assert.Equal(3, result.Code);
        Assert.Contains("AWS_PROFILE", result.Error, StringComparison.Ordinal);
    }

    private async Task PublishInBothAsync(Ec2Session session, StandIn ireland, StandIn refusing)
    {
        session.StandIn.Options.Regions.AddRange(["eu-west-1", "ap-east-1"]);
        refusing.Options.Denied.Add("DescribeInstances");
        (Regions["eu-west-1"], Regions["ap-east-1"]) = (ireland, refusing);
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "publish --hosts 1 --name other --region eu-west-1");
        Directory.Delete(session.DirectoryOf("other").Path, recursive: true);
        foreach (var instance in session.Alive()) instance.Tags["lab:owner"] = "ana";
        using var ec2 = ireland.Client();
        await ec2.StopInstancesAsync(new StopInstancesRequest { InstanceIds = [ireland.Instances.First().Id] }, Interrupt);
    }
}
