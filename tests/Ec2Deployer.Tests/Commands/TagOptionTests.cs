using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary><c>--tag</c>: what an organisation demands.</summary>
public sealed class TagOptionTests : CommandTest
{
    [Fact]
    public async Task Publish_Tags_AreOnEverythingFromTheFirstMoment()
    {
        await using var session = await Ec2Session.StartAsync();

        await RunAsync(session, "publish --hosts 1 --tag CostCenter=42 --tag team=a=b");

        Assert.DoesNotContain("CreateTags", session.StandIn.Mutations);
        Assert.All(All(session), resource =>
        {
            Assert.Equal("42", resource.Tags["CostCenter"]);
            Assert.Equal("a=b", resource.Tags["team"]);
        });
        var mutations = session.StandIn.Mutations.Count;
        await RunAsync(session, "publish");
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Publish_TagsChangedAndTakenOff_AreSoEverywhere()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --tag CostCenter=42 --tag team=red");

        await RunAsync(session, "publish --tag CostCenter=43 --tag team=");
        await RunAsync(session, "scale --hosts 2");

        Assert.Equal(3, session.Alive().Count);
        Assert.All(All(session), resource =>
        {
            Assert.Equal("43", resource.Tags["CostCenter"]);
            Assert.DoesNotContain("team", resource.Tags.Keys);
        });
        Assert.All(session.Alive(), instance => Assert.Equal("lab", instance.Tags["lab:deployment"]));
    }

    [Theory]
    [InlineData("--tag novalue", "is no tag: KEY=VALUE")]
    [InlineData("--tag =v", "is no tag: KEY=VALUE")]
    [InlineData("--tag aws:x=1", "AWS keeps keys")]
    [InlineData("--tag lab:owner=ben", "sets Name and the keys that begin with lab: itself")]
    [InlineData("--tag Name=x", "sets Name and the keys that begin with lab: itself")]
    [InlineData("--tag a=1 --tag a=2", "given twice")]
    public async Task Publish_TagThatCannotBeOne_EndsWithTwoAndSaysWhy(string tags, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish {tags}");

        Assert.Equal(2, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Requests);
    }

    [Fact]
    public async Task Publish_TooLongOrTooMany_SaysTheLimits()
    {
        await using var session = await Ec2Session.StartAsync();

        Assert.Contains("1 to 128", (await RunAsync(session, $"publish --tag {new string('k', 129)}=v")).Error, StringComparison.Ordinal);
        Assert.Contains("at most 256", (await RunAsync(session, $"publish --tag k={new string('v', 257)}")).Error, StringComparison.Ordinal);
        Assert.Contains("at most 40 tags", (await RunAsync(session, $"publish {string.Join(' ', Enumerable.Range(0, 41).Select(number => $"--tag k{number}=v"))}")).Error, StringComparison.Ordinal);
    }

    private static IEnumerable<StandInResource> All(Ec2Session session) =>
        session.Alive().Cast<StandInResource>().Concat(session.StandIn.Groups).Concat(session.StandIn.Keys).Concat(session.StandIn.Volumes).Concat(session.StandIn.Interfaces);
}
