using System.Globalization;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;
using Lab.Ec2Deployer.Tests.Fleet;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Hosts are started only by somebody who knows their price, and a failure says what they cost.</summary>
public sealed class SpendingTests : CommandTest
{
    [Theory]
    [InlineData("n", (int)ExitCode.Failed, 0)]
    [InlineData("", (int)ExitCode.Failed, 0)]
    [InlineData("y", 0, 3)]
    public async Task Publish_Asked_StartsHostsOnlyWithYes(string answer, int code, int hosts)
    {
        await using var session = await Ec2Session.StartAsync();
        (Agreed, Answer) = (false, answer);

        var result = await RunAsync(session, "publish --hosts 2 --ttl 4h");

        Assert.Equal(code, result.Code);
        Assert.Contains("Start 3 hosts for 0.308 US dollars an hour, 1.23 until they end after 4h, list prices of 2026-07-20 without tax and traffic? [y/N]", result.Error, StringComparison.Ordinal);
        Assert.Equal(hosts, session.Alive().Count);
        if (hosts > 0) return;
        Assert.EndsWith("Nothing was started.\n", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
        // What was declined is not what later commands mean.
        Assert.Empty(session.DirectoryOf().ReadState().Options);
    }

    [Fact]
    public async Task Scale_AfterAnEndWasPutOff_TellsTheSumUntilThatEnd()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 1h");
        await RunAsync(session, "ttl +7h");
        (Agreed, Answer) = (false, "n");

        var result = await RunAsync(session, "scale --hosts 2");
        var plan = await RunAsync(session, "plan --hosts 2");

        Assert.Matches(@"Start 1 host \(host-2\) for 0\.103 US dollars an hour, 0\.8[12] until it ends at 20\d\d-\d\d-\d\d \d\d:\d\d UTC ", result.Error);
        Assert.Matches(@"  hosts end themselves at 20\d\d-\d\d-\d\d \d\d:\d\d UTC, new ones too\n", plan.Out);
        Assert.DoesNotContain("after 1h", plan.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_StoppedPastTheirEnd_IsRefusedBeforeTheQuestion()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 1h");
        await RunAsync(session, "stop");
        session.StandIn.Age(TimeSpan.FromHours(2));
        (Agreed, Answer) = (false, "y");

        var result = await RunAsync(session, "publish --disk 20");

        Assert.Equal((int)ExitCode.Failed, result.Code);
        Assert.Contains("Set another first: 'ttl 4h'", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("[y/N]", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--disk", session.DirectoryOf().ReadState().Options.Keys);
    }

    [Theory]
    [InlineData("publish --hosts 2")]
    [InlineData("publish --hosts 2 --progress json")]
    public async Task Publish_NobodyToAsk_TellsThePriceAndStartsNothing(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        Agreed = false;
        if (line.Contains("json", StringComparison.Ordinal)) Answer = "y";

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("3 hosts for 0.308 US dollars an hour", result.Error, StringComparison.Ordinal);
        Assert.Contains("--yes", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task PublishAndScale_NothingNewToPay_AskNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        Agreed = false;

        var again = await RunAsync(session, "publish");
        var fewer = await RunAsync(session, "scale --hosts 1");
        var more = await RunAsync(session, "scale --hosts 3");

        Assert.Equal((0, 0, (int)ExitCode.Usage), (again.Code, fewer.Code, more.Code));
        Assert.Contains("2 hosts for 0.205 US dollars an hour (0.410 an hour with those that run)", more.Error, StringComparison.Ordinal);
        Assert.Equal(2, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_HostDiedAndStopped_AsksForItAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await session.StandIn.KillAsync("host-2");
        Agreed = false;

        var result = await RunAsync(session, "publish");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("1 host (host-2) for 0.103 US dollars an hour", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_PriceUnknown_SaysWhatOf()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Types.Add(new("z9.large"));
        Agreed = false;

        var result = await RunAsync(session, "publish --hosts 1 --instance-type z9.large");

        Assert.Contains("2 hosts at an unknown price (no price is known in us-east-1 for z9.large)", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_QuotaUsedUpOnTheWay_TellsWhatRunsAndCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        var launches = 0;
        session.StandIn.Options.Fault = action => action == "RunInstances" && ++launches > 2 ? Ec2Fault.VcpuLimit : null;

        var result = await RunAsync(session, "publish --hosts 4 --name mine");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Contains("VcpuLimitExceeded", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("\n2 hosts run at 0.205 US dollars an hour: host-1, orchestrator. An Elastic IP address of no host costs 0.0050 US dollars an hour until 'destroy --name mine'. The same command goes on where this one stopped; 'destroy --name mine' ends them.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_InterruptedAfterALaunch_TellsWhatRunsAndCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        Fleet.Telling = _ =>
        {
            interrupt.Cancel();
            interrupt.Token.ThrowIfCancellationRequested();
        };

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.Interrupted, result.Code);
        Assert.Contains("Interrupted.", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("2 hosts run at 0.205 US dollars an hour: host-1, orchestrator. The same command goes on where this one stopped; 'destroy' ends them.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_InterruptedInALaunch_DoesNotSayThatNothingRuns()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Lag = 20;
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances") return false;
            interrupt.Cancel();
            return true;
        };

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.Interrupted, result.Code);
        Assert.EndsWith("orchestrator, which EC2 does not list yet, may have been started and costs money until 'destroy'. An Elastic IP address of no host costs 0.0050 US dollars an hour until 'destroy'.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_Ec2SilentAfterALaunch_TellsWhatMayRun()
    {
        await using var session = await Ec2Session.StartAsync();
        var launched = false;
        session.StandIn.Options.Fault = action =>
        {
            launched |= action == "GetConsoleOutput";
            return launched ? Ec2Fault.Expired : null;
        };

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        var ids = string.Join(", ", session.StandIn.Instances.OrderBy(instance => instance.Id, StringComparer.Ordinal).Select(instance => instance.Id));
        Assert.EndsWith($"EC2 does not say now what runs; {ids} may, and cost money until 'destroy'. 'status' tells.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_OfADeployment_TellsTheLoadGeneratorThePrice()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, "api-key"), "planted-api-key");
        using var certificate = TlsServer.MakeCertificate("orchestrator");
        session.DirectoryOf().WriteSecret(ClientFiles.CertificateIn(session.DirectoryOf().Path), certificate.ExportCertificatePem());
        var seen = Path.Combine(session.Config, "seen");
        LoadGenerator = ["/bin/sh", "-c", $"echo \"$LAB_USD_PER_HOUR\" > {seen}", "bench"];

        Assert.Equal(0, (await RunAsync(session, "bench")).Code);

        // Two hosts, their disks of 16 GiB and their addresses.
        Assert.Equal(2 * (0.09576m + 0.005m) + 2 * 16 * 0.08m / 730, decimal.Parse(await File.ReadAllTextAsync(seen, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture), 6);
    }
}
