using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Whatever fails once something was begun says what runs and what it costs.</summary>
public sealed class WhatRunsTests : CommandTest
{
    private const string Two = "2 hosts run at 0.205 US dollars an hour: host-1, orchestrator. ";
    private const string GoesOn = "The same command goes on where this one stopped; 'destroy' ends them.";
    private const string OnlyDisks = "No host runs. The disks and Elastic IP addresses of host-1, orchestrator cost 0.0085 US dollars an hour.";

    [Theory]
    [InlineData("", "stop", "StopInstances", Two + GoesOn)]
    [InlineData("stop", "start", "StartInstances", OnlyDisks)]
    [InlineData("stop", "publish", "StartInstances", OnlyDisks)]
    [InlineData("", "destroy --yes", "TerminateInstances", Two + GoesOn)]
    [InlineData("", "destroy --yes", "DeleteKeyPair", "No host runs.")]
    [InlineData("", "ttl 4h", "CreateTags", Two + GoesOn)]
    [InlineData("", "publish --replace host-1", "RunInstances", "1 host runs at 0.103 US dollars an hour: orchestrator. " + GoesOn)]
    [InlineData("", "scale --hosts 2", "RunInstances", Two + GoesOn)]
    public async Task Any_Ec2Refuses_TellsWhatRunsAndCosts(string before, string line, string action, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        if (before.Length > 0) await RunAsync(session, before);
        session.StandIn.Options.Fault = made => made == action ? new Ec2Fault("InvalidState", "No.") : null;

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.EndsWith($"\n{words}\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scale --hosts 1", "drain", "3 hosts run at 0.308 US dollars an hour: host-1, host-2, orchestrator. " + GoesOn)]
    [InlineData("scale --hosts 1", "remove", "3 hosts run at 0.308 US dollars an hour: host-1, host-2, orchestrator. " + GoesOn)]
    [InlineData("publish --replace host-2", "remove", "3 hosts run at 0.308 US dollars an hour: host-1, host-2, orchestrator. " + GoesOn)]
    [InlineData("rollback", "rollback", "3 hosts run at 0.308 US dollars an hour: host-1, host-2, orchestrator. 'destroy' ends them.")]
    public async Task Any_HostFails_TellsWhatRunsAndCosts(string line, string call, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        Fleet.Fails = made => made.StartsWith(call, StringComparison.Ordinal) ? new DeploymentException(ExitCode.HostFailed, "host-2 does not answer.") : null;

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        Assert.EndsWith($"host-2 does not answer.\n{words}\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_HostsDoNotRecover_TellsWhatRunsAndCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "stop");
        Fleet.Failure = new DeploymentException(ExitCode.HostFailed, "The Swarm does not form.");

        var result = await RunAsync(session, "start");

        Assert.EndsWith($"The Swarm does not form.\n{Two}{GoesOn}\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_OneHostStoppedAlready_TellsItsDiskToo()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await session.StandIn.StopAsync("host-1");
        session.StandIn.Options.Fault = made => made == "StopInstances" ? Ec2Fault.Unauthorized(made) : null;

        var result = await RunAsync(session, "stop");

        Assert.EndsWith($"1 host runs at 0.103 US dollars an hour: orchestrator. The disks of host-1 cost 0.0018 US dollars an hour. {GoesOn}\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scale --hosts 60")]
    [InlineData("publish --hosts 1 --certificate /nosuch")]
    [InlineData("rollback --list v0")]
    public async Task Any_RefusedBeforeAnythingWasBegun_SaysNothingOfIt(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.DoesNotContain("hosts run at", result.Error, StringComparison.Ordinal);
    }
}
