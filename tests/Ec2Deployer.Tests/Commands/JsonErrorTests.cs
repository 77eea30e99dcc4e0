using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>How another program hears with <c>--progress json</c> that a command ends with another code than 0.</summary>
public sealed class JsonErrorTests : CommandTest
{
    [Theory]
    [InlineData("plna --progress json", "Unrecognized command or argument 'plna'.\nTry '--help'.")]
    [InlineData("--progress json plan --host 3", "Try 'plan --help'.")]
    [InlineData("plan --hosts --progress json", "Try 'plan --help'.")]
    [InlineData("plan --progress=json --hosts 0 --disk none", "--disk 'none'")]
    [InlineData("plan --hosts 0 --progress json", "from 1 to 50")]
    [InlineData("plan --name ../escape --progress json", "no name")]
    [InlineData("ssh --progress json", "host")]
    public async Task Any_JsonAndAnImpossibleCommandLine_IsOneErrorWithTwo(string line, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        ProgressLines.HasError(await RunAsync(session, line), ExitCode.Usage, words);
    }

    [Fact]
    public async Task Any_UnknownFormat_IsAnErrorForPeople()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "plan --progress xml");

        Assert.Equal(2, result.Code);
        Assert.StartsWith("Argument 'xml' not recognized", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("publish --progress json", (int)ExitCode.HostFailed, null)]
    [InlineData("publish --progress json --verbose", (int)ExitCode.HostFailed, "System.IO.IOException: the cause")]
    [InlineData("publish --progress json", (int)ExitCode.Locked, null)]
    public async Task Publish_JsonAndADeploymentFails_TellsTheCauseOnlyWithVerbose(string line, int code, string? cause)
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = new DeploymentException((ExitCode)code, "host-3 has no room.\nThe old version serves.", new IOException("the cause"));

        var result = await RunAsync(session, line);

        var error = ProgressLines.HasError(result, (ExitCode)code, "host-3 has no room.\nThe old version serves.");
        Assert.Equal(cause, error.Text("detail"));
    }

    [Theory]
    [InlineData("publish --progress json", false)]
    [InlineData("publish --progress json --verbose", true)]
    public async Task Publish_JsonAndAFaultOfTheProgram_IsOneErrorWithOne(string line, bool detailed)
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = new InvalidOperationException("a planted fault");

        var error = ProgressLines.HasError(await RunAsync(session, line), ExitCode.Failed, "Failed by a fault of this program: InvalidOperationException: a planted fault");

        Assert.Equal(detailed, error.Text("detail")?.Contains("FakeFleet", StringComparison.Ordinal) is true);
    }

    [Fact]
    public async Task Publish_JsonInterrupted_EndsItsStepAndTells130()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances") return false;
            interrupt.Cancel();
            return true;
        };

        var result = await RunAsync(session, "publish --progress json");

        ProgressLines.HasError(result, ExitCode.Interrupted, "Interrupted.");
        Assert.False(ProgressLines.Events(result.Error).OfStep("creating orchestrator")[^1].GetProperty("succeeded").GetBoolean());
    }

    [Fact]
    public async Task Publish_JsonWithoutCredentials_IsOneErrorWithThree()
    {
        await using var session = await Ec2Session.StartAsync();
        HasCredentials = false;

        ProgressLines.HasError(await RunAsync(session, "publish --progress json"), ExitCode.AwsRefused, "AWS_PROFILE");
    }

    [Fact]
    public async Task Status_JsonAndAHostGone_IsOneErrorWithFour()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await session.StandIn.KillAsync("host-2");

        ProgressLines.HasError(await RunAsync(session, "status --progress json"), ExitCode.HostFailed, "'status' ended with 4");
        Assert.Empty((await RunAsync(session, "status")).Error);
    }
}
