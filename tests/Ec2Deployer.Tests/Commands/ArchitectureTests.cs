using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Hosts with Arm processors, and what does not go together.</summary>
public sealed class ArchitectureTests : CommandTest
{
    [Theory]
    [InlineData("c8g.large")]
    // Its name does not tell.
    [InlineData("m8z.large")]
    public async Task Publish_ArmType_TakesTheImageForArmAndBuildsForIt(string type)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 --instance-type {type}");

        Assert.True(result.Code == 0, result.Error);
        Assert.All(session.Alive(), instance => Assert.Equal(StandInOptions.ArmImage, instance.ImageId));
        Assert.Equal(HostArchitecture.Arm64, Fleet.Releases[^1].Architecture);
    }

    [Fact]
    public async Task Plan_ArmTypeWithoutAnAccount_NamesImageArchitectureAndPrice()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "plan --offline --instance-type c8g.large --hosts 1");
        var document = await RunAsync(session, "plan --offline --instance-type c8g.large --hosts 1 --json");

        Assert.Contains("machine image <newest debian-12-arm64-* of 136693071363>, for arm64 processors", result.Out, StringComparison.Ordinal);
        Assert.Contains("2 × c8g.large", result.Out, StringComparison.Ordinal);
        Assert.Contains("0.07976", document.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--instance-type c8g.large --image ami-00000000000000002", "--image ami-00000000000000002 is for x86_64 processors, and c8g.large has arm64")]
    [InlineData($"--image {StandInOptions.ArmImage}", $"--image {StandInOptions.ArmImage} is for arm64 processors, and m7i-flex.large has x86_64")]
    public async Task Publish_ImageForOtherProcessors_IsRefusedBeforeALaunch(string options, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 {options}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Publish_ProcessorsOfAnotherKind_AreRefused()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Types.Add(new StandInType("mac1.metal", Architecture: "x86_64_mac"));

        var result = await RunAsync(session, "publish --hosts 1 --instance-type mac1.metal");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("mac1.metal has processors of x86_64_mac; the images are for x86_64 or arm64", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Theory]
    [InlineData("publish --hosts 2")]
    [InlineData("publish --hosts 1 --replace host-1")]
    public async Task Publish_NewHostsOfAnotherArchitecture_AreRefusedAndTheWayOutIsTold(string command)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var before = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, $"{command} --instance-type c8g.large");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("Hosts of 'lab' would have different processors: x86_64 orchestrator", result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", result.Error, StringComparison.Ordinal);
        Assert.Contains("--replace orchestrator", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Publish_AllHostsReplaced_ChangesTheArchitecture()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "publish --instance-type c8g.large --replace orchestrator --replace host-1");

        Assert.True(result.Code == 0, result.Error);
        Assert.Equal(["host-1", "orchestrator"], session.Alive().Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal));
        Assert.All(session.Alive(), instance => Assert.Equal("arm64", instance.Architecture));
        Assert.Equal(HostArchitecture.Arm64, Fleet.Releases[^1].Architecture);
    }

    [Fact]
    public async Task Publish_AnotherTypeAndNoNewHost_BuildsForTheHostsThatRun()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --instance-type c8g.large");

        var result = await RunAsync(session, "publish --instance-type m5.large");

        Assert.True(result.Code == 0, result.Error);
        Assert.Equal(HostArchitecture.Arm64, Fleet.Releases[^1].Architecture);
    }

    [Fact]
    public async Task Publish_TypeMayNotBeAskedFor_Ec2sRefusalIsTold()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("DescribeInstanceTypes");

        var result = await RunAsync(session, "publish --hosts 1 --instance-type m8z.large");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Contains("The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the specified AMI", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
    }
}
