using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class HostSurveyTests
{
    private const string Output = """
        swarm {"NodeID":"n1","NodeAddr":"10.0.0.11","LocalNodeState":"active","ControlAvailable":true,"Error":"","RemoteManagers":null}
        image localhost:1/lab-worker:abc
        blob 0123
        free 1000 /var/lib/lab
        free 2000 /var/lib/docker
        container lab_worker-a
        listening 0.0.0.0:22 users:(("sshd",pid=7,fd=3))
        listening *:80 users:(("nginx",pid=42,fd=6),("nginx",pid=43,fd=6))
        listening [::]:8000
        """;

    private static readonly DeployedHost Host = new("host-1", HostRole.Worker, true, "i-1", "192.0.2.11", "10.0.0.11", 22, "admin", null);

    [Fact]
    public void Parse_Output_TellsWhatTheHostHas()
    {
        var survey = HostSurvey.Parse(Output);

        Assert.Equal(("active", "n1", true), (survey.SwarmState, survey.NodeId, survey.IsManager));
        Assert.Equal(["localhost:1/lab-worker:abc"], survey.Images);
        Assert.Equal(["0123"], survey.Layers);
        Assert.Equal(1000 * 1024, survey.Free["/var/lib/lab"]);
        Assert.Equal("nginx", survey.Listening[80]);
    }

    [Fact]
    public void TakenPort_OfAnotherProgram_IsToldWithItsName()
    {
        var survey = HostSurvey.Parse(Output);

        Assert.Contains("port 80 (10.0.0.11) is taken by nginx", survey.TakenPort(Host, [("lab_orchestrator", [80, 443])])?.What, StringComparison.Ordinal);
        Assert.Null(survey.TakenPort(Host, [("lab_worker-a", [8000])]));
    }

    [Theory]
    [InlineData("machine x86_64 20.10.24+dfsg1", null)]
    [InlineData("machine x86_64 29.0.1", null)]
    [InlineData("machine x86_64 26.1.5-rc.1", null)]
    [InlineData("machine x86_64 unknown", null)]
    [InlineData("", null)]
    [InlineData("machine x86_64 20.10.5+dfsg1", "too new for its Docker 20.10.5+dfsg1")]
    [InlineData("machine x86_64 19.03.15", "too new for its Docker 19.03.15")]
    [InlineData("machine aarch64 27.0.0", "its processor is aarch64")]
    public void Unfit_ProcessorAndDocker_AreTold(string line, string? what)
    {
        var obstacle = HostSurvey.Parse(Output + "\n" + line).Unfit(Host, HostArchitecture.X64);
        if (what is null) Assert.Null(obstacle);
        else Assert.Contains(what, obstacle?.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Unfit_ImagesForArm_WantAnArmHost()
    {
        Assert.Null(HostSurvey.Parse(Output + "\nmachine aarch64 27.0.0").Unfit(Host, HostArchitecture.Arm64));
        Assert.Contains("its processor is x86_64, and the images are for aarch64", HostSurvey.Parse(Output + "\nmachine x86_64 27.0.0").Unfit(Host, HostArchitecture.Arm64)?.What, StringComparison.Ordinal);
    }

    [Fact]
    public void FullDisk_LessThanFourTimesTheImages_IsTold()
    {
        Assert.Null(HostSurvey.Parse(Output).FullDisk(Host, 1000));
        Assert.Contains("/var/lib/lab", HostSurvey.Parse(Output).FullDisk(Host, 1_000_000)?.What, StringComparison.Ordinal);
    }

    [Fact]
    public void With_AfterJoining_ChangesTheMembershipAlone()
    {
        var survey = HostSurvey.Parse(Output).With("""swarm {"NodeID":"n9","LocalNodeState":"active","ControlAvailable":false}""");

        Assert.Equal(("n9", false), (survey.NodeId, survey.IsManager));
        Assert.Equal(["0123"], survey.Layers);
    }
}
