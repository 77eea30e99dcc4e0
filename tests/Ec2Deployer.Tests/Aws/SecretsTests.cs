using System.Runtime.Versioning;
using Lab.Ec2Deployer.Aws;
using Renci.SshNet;

namespace Lab.Ec2Deployer.Tests.Aws;

[SupportedOSPlatform("linux")]
public sealed class SecretsTests
{
    [Fact]
    public async Task Provision_AllRequests_CarryNoSecret()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();

        var secret = string.Concat(File.ReadLines(session.DirectoryOf().PrivateKeyFile).Where(line => line[0] != '-'));
        var sent = session.StandIn.Requests.SelectMany(request => request.Fields.Values).Concat(session.StandIn.Instances.Select(instance => instance.UserData)).ToList();
        Assert.True(sent.Count > 100);
        Assert.DoesNotContain(sent, value => value.Contains(secret[^60..], StringComparison.Ordinal));
        Assert.DoesNotContain(sent, value => value.Contains("PRIVATE KEY", StringComparison.Ordinal));
        Assert.DoesNotContain(sent, value => value.Contains("planted-secret-access-key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Provision_FilesOfTheDeployment_AreTheUsersAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();
        var directory = session.DirectoryOf();
        directory.Audit(DateTimeOffset.UnixEpoch, "test", "one\ntwo");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory.Path));
        var files = Directory.GetFiles(directory.Path);
        Assert.Equal(["audit.log", "id_ed25519", "state.json"], files.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Single(File.ReadAllLines(directory.AuditFile));
    }

    [Fact]
    public async Task Key_ReadBySshLibrary_IsTheOneImported()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();

        using var key = new PrivateKeyFile(session.DirectoryOf().PrivateKeyFile);
        var algorithm = Assert.Single(key.HostKeyAlgorithms);
        Assert.Equal("ssh-ed25519", algorithm.Name);
        var imported = Assert.Single(session.StandIn.Keys).PublicKey;
        Assert.Equal(imported, $"ssh-ed25519 {Convert.ToBase64String(algorithm.Data)}");
        Assert.Equal(imported, DeploymentKey.PublicKey(session.DirectoryOf()));
    }
}
