using System.Text.Json;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The least policy: everything works under it, and nothing in it is superfluous.</summary>
public sealed class IamCommandTests : CommandTest
{
    /// <summary>What a story does not use, or can do without.</summary>
    private static readonly HashSet<string> Elsewhere = ["DescribeInstanceTypes", "DescribeRouteTables", "DescribeAccountAttributes", "DescribeSpotInstanceRequests"];

    [Theory]
    [InlineData("iam")]
    [InlineData("iam --name lab")]
    public async Task Story_UnderThePolicy_Works(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        var policy = await RunAsync(session, line);
        Assert.Equal(0, policy.Code);
        Assert.Empty(session.StandIn.Requests);
        session.StandIn.Options.Policy = policy.Out;

        Assert.Null(await StoryAsync(session));

        Assert.Empty(session.Alive());
        Assert.Empty(session.StandIn.Groups);
        Assert.Empty(session.StandIn.Keys);
        Assert.Empty(session.StandIn.Volumes);
        // Every action is used: else a policy without it would do.
        var used = session.StandIn.Requests.Select(request => request["Action"]!).ToHashSet();
        Assert.Equal([], IamPolicy.Grants.Select(grant => grant.Action).Except(used).Except(Elsewhere));
    }

    public static TheoryData<int> EachGrant => [.. Enumerable.Range(0, IamPolicy.Grants.Count).Where(number => !Elsewhere.Contains(IamPolicy.Grants[number].Action))];

    [Theory]
    [MemberData(nameof(EachGrant))]
    public async Task Story_WithoutOneGrant_FailsWithAWordAboutThePermission(int number)
    {
        await using var session = await Ec2Session.StartAsync();
        var grant = IamPolicy.Grants[number];
        session.StandIn.Options.Policy = JsonSerializer.Serialize(IamPolicy.Document(null, "us-east-1", IamPolicy.Grants.Where(other => other != grant)));

        var error = await StoryAsync(session);

        // 'list' asks many regions, and tells what it needs in each.
        Assert.Matches("lack the permission|are needed in each", error);
        Assert.Contains($"ec2:{grant.Action}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policy_OfOneDeployment_ReachesNoOther()
    {
        await using var session = await Ec2Session.StartAsync();
        Assert.Equal(0, (await RunAsync(session, "publish --name other --hosts 1")).Code);
        session.StandIn.Options.Policy = (await RunAsync(session, "iam --name lab")).Out;

        Assert.Contains("lack the permission", (await RunAsync(session, "destroy --yes --name other")).Error, StringComparison.Ordinal);
        Assert.Contains("lack the permission", (await RunAsync(session, "publish --name third --hosts 1")).Error, StringComparison.Ordinal);

        Assert.Equal(2, session.Alive("other").Count);
    }

    [Fact]
    public async Task Policy_OfAllDeployments_ReachesNothingWithoutTheTag()
    {
        await using var session = await Ec2Session.StartAsync();
        using var ec2 = session.StandIn.Client();
        await RunAsync(session, "publish --hosts 1");
        var instance = session.Alive()[0];
        instance.Tags.Remove("lab:deployment");
        session.StandIn.Options.Policy = (await RunAsync(session, "iam")).Out;

        var refused = await Assert.ThrowsAsync<Amazon.EC2.AmazonEC2Exception>(() =>
            ec2.TerminateInstancesAsync(new TerminateInstancesRequest { InstanceIds = [instance.Id] }, TestContext.Current.CancellationToken));
        Assert.Equal("UnauthorizedOperation", refused.ErrorCode);
        // Nor can the tag be put on it.
        await Assert.ThrowsAsync<Amazon.EC2.AmazonEC2Exception>(() => ec2.CreateTagsAsync(
            new CreateTagsRequest { Resources = [instance.Id], Tags = [new Tag("lab:deployment", "lab")] }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("eu-west-1", "arn:aws:ec2:*:*:instance/*")]
    [InlineData("cn-north-1", "arn:aws-cn:ec2:*:*:instance/*")]
    [InlineData("us-gov-west-1", "arn:aws-us-gov:ec2:*:*:instance/*")]
    public async Task Policy_EachPartition_HasItsOwnNames(string region, string arn)
    {
        await using var session = await Ec2Session.StartAsync();

        var policy = (await RunAsync(session, $"iam --region {region}")).Out;

        Assert.Contains(arn, policy, StringComparison.Ordinal);
        // IAM counts no blanks, and takes 6,144 characters at most.
        Assert.InRange(policy.Count(letter => !char.IsWhiteSpace(letter)), 1000, 6144);
    }

    /// <summary>From nothing through every command and back to nothing.</summary>
    /// <returns>The error of the first command that failed, or null.</returns>
    private async Task<string?> StoryAsync(Ec2Session session)
    {
        using var owner = session.StandIn.Client();
        const string from = "--ssh-from 203.0.113.7 --http-from 203.0.113.7";
        (string Line, Action? Before)[] story =
        [
            ($"plan --hosts 1 {from}", null),
            ($"publish --hosts 1 {from} --tag team=red", null),
            ("status", null),
            ("publish --tag team= --tag course=2", null),
            ("publish --ssh-from 198.51.100.1", null),
            ("publish", () => session.Alive().Single(instance => instance.Tags["lab:host"] == "host-1").State = "stopped"),
            ("publish", () => session.Alive().Single(instance => instance.Tags["lab:host"] == "orchestrator").GroupIds.RemoveAt(0)),
            ("publish --elastic-ip no", null),
            ("publish --elastic-ip yes", null),
            ("scale --hosts 2", null),
            ("publish --replace host-2", null),
            ("scale --hosts 1", null),
            ("ttl 4h", null),
            ("ttl never", null),
            ("stop", null),
            ("ttl 4h", null),
            ("start", null),
            ("destroy --yes", () => session.StandIn.Volumes.First().InstanceId = null),
            ("list", null),
        ];
        foreach (var (line, before) in story)
        {
            before?.Invoke();
            var result = await RunAsync(session, line);
            if (result.Code != 0) return result.Error;
        }

        return null;
    }
}
