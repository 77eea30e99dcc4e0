using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Tests.Remote;

public sealed class HostKeysTests : IDisposable
{
    private static readonly byte[] Key = [1, 2, 3];
    private static readonly byte[] Other = [4, 5, 6];
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("lab-keys-").FullName, "known_hosts");
    private readonly List<string> _notes = [];

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void Refusal_PinnedKey_AcceptsItAloneAndSilently()
    {
        Assert.Null(Judge(Pinned, Key));
        Assert.Contains("was expected", Judge(Pinned, Other), StringComparison.Ordinal);
        Assert.Empty(_notes);
    }

    [Fact]
    public void Refusal_NobodyVouches_AcceptsTheFirstKeySaysSoAndRefusesAnother()
    {
        Assert.Null(Judge(Unknown, Key));
        Assert.Contains(HostKeys.Fingerprint(Key), Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Null(Judge(Unknown, Key));
        Assert.NotNull(Judge(Unknown, Other));
    }

    [Fact]
    public void Refusal_NewMachineAtTheSameAddress_IsNotComparedWithTheOld()
    {
        Assert.Null(Judge(Unknown, Key));

        Assert.Null(Judge(Unknown with { InstanceId = "i-2" }, Other));
    }

    [Fact]
    public void Refusal_AcceptNew_AcceptsAnotherKeyAndSaysSo()
    {
        Assert.Null(new HostKeys(_file, acceptNew: true, _notes.Add).Refusal(Pinned, "ssh-ed25519", Other));
        Assert.Contains("--accept-new-host-key", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Refusal_AcceptedKey_IsKeptAsOpenSshReadsIt()
    {
        Judge(Pinned, Key);

        Assert.Equal(["192.0.2.1 ssh-ed25519 AQID i-1"], File.ReadAllLines(_file));
    }

    private static DeployedHost Unknown => new("host-1", HostRole.Worker, true, "i-1", "192.0.2.1", "10.0.0.1", 22, "admin", null);

    private static DeployedHost Pinned => Unknown with { HostKey = HostKeys.Fingerprint(Key) };

    private string? Judge(DeployedHost host, byte[] key) => new HostKeys(_file, acceptNew: false, _notes.Add).Refusal(host, "ssh-ed25519", key);
}
