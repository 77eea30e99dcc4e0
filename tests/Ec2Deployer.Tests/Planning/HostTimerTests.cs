using Lab.Ec2Deployer.Planning;
using YamlDotNet.Serialization;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class HostTimerTests
{
    private static readonly DateTimeOffset End = new(2026, 11, 29, 14, 22, 0, TimeSpan.Zero);

    [Fact]
    public void Script_OfAMoment_WritesTheTimerAndSeesThatItIsSet() => Assert.Equal("""
        end='2026-11-29 14:22:00 UTC'
        printf '[Timer]\nOnCalendar=%s\nPersistent=true\nAccuracySec=1s\n' "$end" > /etc/systemd/system/.lab-ttl
        mv /etc/systemd/system/.lab-ttl /etc/systemd/system/lab-ttl.timer
        printf '[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl poweroff\n' > /etc/systemd/system/lab-ttl.service
        mkdir -p /etc/systemd/system/timers.target.wants
        ln -sf /etc/systemd/system/lab-ttl.timer /etc/systemd/system/timers.target.wants/lab-ttl.timer
        systemctl daemon-reload
        systemctl restart lab-ttl.timer
        systemctl show --property=NextElapseUSecRealtime --value lab-ttl.timer | grep '[0-9]'
        """, HostTimer.Script(End), ignoreLineEndingDifferences: true);

    [Fact]
    public void Script_OfNever_StopsTheTimerAndRemovesIt() => Assert.Equal("""
        systemctl stop lab-ttl.timer 2>/dev/null || true
        rm -f /etc/systemd/system/timers.target.wants/lab-ttl.timer /etc/systemd/system/lab-ttl.timer /etc/systemd/system/lab-ttl.service
        systemctl daemon-reload
        """, HostTimer.Script(null), ignoreLineEndingDifferences: true);

    [Theory]
    [InlineData("2026-11-29T14:22:00Z", "end='2026-11-29 14:22:00 UTC'")]
    [InlineData(null, "systemctl --no-block stop lab-ttl.timer")]
    public void BootAt_OfAStoppedHost_IsDoneOnceForEachSetting(string? end, string line)
    {
        DateTimeOffset? moment = end is null ? null : DateTimeOffset.Parse(end, System.Globalization.CultureInfo.InvariantCulture);
        var text = CloudInit.WithBootCommand("host-2", HostTimer.BootAt(moment, "17"));
        var document = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(text);

        var command = Assert.IsType<List<object>>(Assert.Single((List<object>)document["bootcmd"]));
        Assert.Equal(["cloud-init-per", "once", "lab-ttl-17", "sh", "-c"], command.Take(5));
        Assert.StartsWith(line, (string)command[5], StringComparison.Ordinal);
        Assert.True(document.ContainsKey("runcmd"));
    }

    [Theory]
    [InlineData("4h", null, "2026-11-29T08:00:00Z", "2026-11-29T12:00:00Z")]
    [InlineData("4h", "2026-11-30T09:30Z", "2026-11-29T08:00:00Z", "2026-11-30T09:30:00Z")]
    [InlineData(null, "2026-11-30T09:30Z", "2026-11-29T08:00:00Z", "2026-11-30T09:30:00Z")]
    [InlineData(null, null, "2026-11-29T08:00:00Z", null)]
    [InlineData("later", "tomorrow", "2026-11-29T08:00:00Z", null)]
    public void End_OfTags_IsTheMomentThatWasSetLast(string? ttl, string? end, string first, string? expected)
    {
        var tags = new Dictionary<string, string>();
        if (ttl is not null) tags[LabTags.Ttl] = ttl;
        if (end is not null) tags[LabTags.End] = end;
        // Started again since: the end stays.
        var instance = Instance(tags) with { FirstStartedAt = Moment(first), LaunchedAt = Moment(first).AddHours(3) };

        Assert.Equal(expected is null ? null : Moment(expected), HostEnd.Of(instance));
    }

    [Fact]
    public void RunTime_OverStopsAndStarts_AddsUpAndIsCountedOnce()
    {
        var start = Moment("2026-11-29T08:00:00Z");
        var running = Instance([]) with { LaunchedAt = start };
        var tag = RunTime.Tag(running, start.AddHours(2))!;
        var stopped = Instance(new() { [LabTags.Ran] = tag }) with { LaunchedAt = start, State = "stopped" };
        var again = stopped with { LaunchedAt = start.AddHours(10), State = "running" };

        Assert.Equal(TimeSpan.FromHours(2), RunTime.Of(stopped, start.AddHours(9)));
        Assert.Null(RunTime.Tag(stopped with { State = "running" }, start.AddHours(3)));
        Assert.Equal(TimeSpan.FromHours(3), RunTime.Of(again, start.AddHours(11)));
        Assert.StartsWith("10800 ", RunTime.Tag(again, start.AddHours(11)), StringComparison.Ordinal);
    }

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static ObservedInstance Instance(Dictionary<string, string> tags) =>
        new() { Id = "i-1", Host = "host-1", State = "running", InstanceType = "m4.large", ImageId = "ami-1", Zone = "us-east-1a", Tags = tags };
}
