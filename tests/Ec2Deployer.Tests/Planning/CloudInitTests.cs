using System.Text.Json;
using Lab.Ec2Deployer.Planning;
using YamlDotNet.Serialization;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class CloudInitTests
{
    [Fact]
    public void Document_AnyHost_IsYamlWithWhatAHostNeeds()
    {
        var text = CloudInit.Document("host-2", null);
        var document = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(text);

        Assert.StartsWith("#cloud-config\n", text, StringComparison.Ordinal);
        Assert.Equal("host-2", document["hostname"]);
        Assert.DoesNotContain("bootcmd", document.Keys);
        var commands = string.Join('\n', (List<object>)document["runcmd"]);
        Assert.Contains("docker.io", commands, StringComparison.Ordinal);
        Assert.Contains("apt-mark hold docker.io", commands, StringComparison.Ordinal);
        Assert.Contains("net.ipv4.ip_unprivileged_port_start=80", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Document_AnyHost_UpgradesForSecurityAllButDockerAndNeverReboots()
    {
        var files = Files(CloudInit.Document("host-2", null));
        var upgrades = files["/etc/apt/apt.conf.d/52lab-upgrades"];

        Assert.Contains("APT::Periodic::Unattended-Upgrade \"1\";", upgrades, StringComparison.Ordinal);
        Assert.Contains("#clear Unattended-Upgrade::Origins-Pattern;", upgrades, StringComparison.Ordinal);
        Assert.DoesNotContain("label=Debian\"", upgrades, StringComparison.Ordinal);
        Assert.Contains("Unattended-Upgrade::Package-Blacklist { \"docker\"; \"containerd\"; \"runc\"; };", upgrades, StringComparison.Ordinal);
        Assert.Contains("Automatic-Reboot \"false\"", upgrades, StringComparison.Ordinal);
        Assert.Contains("docker.io unattended-upgrades", CloudInit.Document("host-2", null), StringComparison.Ordinal);
    }

    [Fact]
    public void Document_AnyHost_ForbidsContainersNewPrivileges()
    {
        using var docker = JsonDocument.Parse(Files(CloudInit.Document("host-2", null))["/etc/docker/daemon.json"]);

        Assert.True(docker.RootElement.GetProperty("no-new-privileges").GetBoolean());
    }

    [Fact]
    public void Document_WithTtl_SetsTheEndBeforeAnythingElseRuns()
    {
        var document = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(CloudInit.Document("host-2", TimeSpan.FromHours(4)));

        var command = Assert.IsType<List<object>>(Assert.Single((List<object>)document["bootcmd"]));
        Assert.Equal(["cloud-init-per", "once", "lab-ttl", "sh", "-c"], command.Take(5));
        Assert.Contains("+240 minutes", (string)command[5], StringComparison.Ordinal);
        Assert.Contains("poweroff", (string)command[5], StringComparison.Ordinal);
    }

    [Fact]
    public void Document_AnyHost_FitsIntoUserData() =>
        Assert.InRange(CloudInit.Document("orchestrator", TimeSpan.FromDays(30)).Length, 1, 16384);

    private static Dictionary<string, string> Files(string document) =>
        ((List<object>)new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(document)["write_files"]).Cast<Dictionary<object, object>>()
            .ToDictionary(file => (string)file["path"], file => (string)file["content"]);
}
