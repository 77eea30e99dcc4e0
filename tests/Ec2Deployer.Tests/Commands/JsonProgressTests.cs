using System.Diagnostics;
using System.Globalization;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;
using Lab.Ec2Deployer.Tests.Fleet;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What another program hears with <c>--progress json</c>.</summary>
public sealed class JsonProgressTests : CommandTest
{
    [Fact]
    public async Task Publish_Json_TellsEachStepFromBeginToEnd()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Telling = progress =>
        {
            using var step = progress.Begin("draining", "host-1");
            step.Report(30_700_000, 61_400_000);
            step.Done("3 created");
        };

        var result = await RunAsync(session, "publish --hosts 1 --progress json");

        Assert.Equal(0, result.Code);
        var events = ProgressLines.Events(result.Error);
        Assert.Equal(Enumerable.Range(1, events.Of("begin").Count), events.Of("begin").Select(one => one.GetProperty("id").GetInt32()));
        Assert.All(events.Of("begin"), begin => Assert.Equal("end", events.OfStep(begin.Text("title")!)[^1].Text("event")));
        Assert.All(events.Of("end"), end => Assert.True(end.GetProperty("succeeded").GetBoolean()));
        Assert.Empty(events.Of("error"));

        var creating = events.OfStep("creating host-1");
        Assert.Equal(["begin", "say", "end"], creating.Select(one => one.Text("event")));
        Assert.Null(creating[0].Text("host"));
        Assert.Equal("m7i-flex.large in us-east-1b", creating[1].Text("detail"));
        Assert.StartsWith("i-", creating[2].Text("outcome"), StringComparison.Ordinal);
        Assert.InRange(creating[2].GetProperty("seconds").GetDouble(), 0, 60);

        var draining = events.OfStep("draining");
        Assert.Equal("host-1", draining[0].Text("host"));
        Assert.Equal("30.7 MB of 61.4 MB (50 %)", draining[1].Text("detail"));
        Assert.Equal("3 created", draining[2].Text("outcome"));
        // Results and the audit log are as they always are.
        Assert.Contains("Version v1 serves", result.Out, StringComparison.Ordinal);
        Assert.Equal(9, File.ReadAllLines(session.DirectoryOf().AuditFile).Length);
    }

    [Fact]
    public async Task Publish_JsonWithNotes_TellsThem()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Telling = progress => progress.Note("Größe “unbekannt”\nin two lines");

        var result = await RunAsync(session, "publish --hosts 1 --progress json");

        Assert.Equal("Größe “unbekannt”\nin two lines", ProgressLines.Events(result.Error).Of("note")[^1].Text("message"));
        Assert.All(result.Error, character => Assert.True(char.IsAscii(character), "A console's encoding may be any."));
    }

    [Fact]
    public async Task Publish_JsonStepFails_EndsWithWhatItWasAt()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = action => action == "RunInstances" ? Ec2Fault.Unauthorized(action) : null;

        var result = await RunAsync(session, "publish --hosts 1 --progress json");

        var events = ProgressLines.Events(result.Error);
        var end = events.OfStep("creating orchestrator")[^1];
        Assert.False(end.GetProperty("succeeded").GetBoolean());
        Assert.Equal("m7i-flex.large in us-east-1a", end.Text("outcome"));
        ProgressLines.HasError(result, ExitCode.AwsRefused, "ec2:RunInstances");
    }

    [Theory]
    [InlineData("destroy")]
    [InlineData("unlock")]
    public async Task Any_JsonAndAQuestion_AsksNobody(string command)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        if (command == "unlock") Fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow.AddHours(-2));
        Answer = "y";

        ProgressLines.HasError(await RunAsync(session, $"{command} --progress json"), ExitCode.Usage, "--yes");

        Assert.Equal(command == "unlock", Fleet.Lock is not null);
        Assert.Equal(2, session.Alive().Count);
        Assert.Equal(0, (await RunAsync(session, $"{command} --progress json --yes")).Code);
    }

    [Fact]
    public async Task Bench_Json_MakesNotesOfWhatTheLoadGeneratorSays()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, "api-key"), "planted-api-key");
        using var certificate = TlsServer.MakeCertificate("orchestrator");
        session.DirectoryOf().WriteSecret(ClientFiles.CertificateIn(session.DirectoryOf().Path), certificate.ExportCertificatePem());
        // What it leaves running holds its standard error open.
        var left = Path.Combine(session.Config, "left");
        LoadGenerator = ["/bin/sh", "-c", $"echo 'half \"done\"' >&2; echo >&2; sleep 60 > /dev/null & echo $! > {left}; echo all >&2; exit 7", "bench"];

        var result = await RunAsync(session, "bench --progress json");

        // It is still there: nobody has waited for it.
        using (var process = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(left, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture))) process.Kill();
        Assert.Equal(["half \"done\"", "all"], ProgressLines.Events(result.Error).Of("note").Select(note => note.Text("message")));
        ProgressLines.HasError(result, (ExitCode)7, "'bench' ended with 7");
    }

    [Fact]
    public async Task Publish_Text_HasNoJson()
    {
        await using var session = await Ec2Session.StartAsync();

        var byDefault = await RunAsync(session, "publish --hosts 1");
        var asked = await RunAsync(session, "publish --hosts 1 --progress text");

        Assert.Contains("  ✓ creating host-1  i-", byDefault.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("{", byDefault.Error + asked.Error, StringComparison.Ordinal);
    }
}
