using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text.Json;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Where what this machine keeps is torn, gone, or cannot be written: tags are enough for all but the key.</summary>
[SupportedOSPlatform("linux")]
public sealed class LostStateTests : CommandTest
{
    public static TheoryData<string, string> Torn => new()
    {
        { "", "is empty" },
        { "\0\0\0\0", "is empty" },
        { "{\"options\": {\"--hos", "is torn" },
        { "null", "is torn" },
        { "[1]", "is torn" },
        { "{\"host_keys\": null}", "is torn" },
        { "{\"options\": {\"--hosts\": 3}}", "is torn" },
        { "{\"version\": 1, \"place\": {\"region\": \"us-east-1\", \"account\": null, \"endpoint\": \"nowhere\"}, \"options\": {}, \"host_keys\": {}, \"launching\": {}}", "is torn" },
        { "{\"version\": 99, \"options\": 1}", "was written by a newer version" },
    };

    [Theory]
    [MemberData(nameof(Torn))]
    public async Task Destroy_TornState_RemovesByTags(string text, string words)
    {
        await using var session = await TornAsync(text);

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains($"state.json {words}", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
        Assert.Empty(session.StandIn.Groups);
        Assert.True(session.DirectoryOf().IsEmpty);
    }

    [Theory]
    [MemberData(nameof(Torn))]
    public async Task Publish_TornState_GoesOnWithTheHostsThatThereAre(string text, string words)
    {
        await using var session = await TornAsync(text);
        var launches = session.StandIn.Mutations.Count(action => action == "RunInstances");

        var result = await RunAsync(session, "publish");

        Assert.Equal(0, result.Code);
        Assert.Contains($"state.json {words}", result.Error, StringComparison.Ordinal);
        Assert.Equal(launches, session.StandIn.Mutations.Count(action => action == "RunInstances"));
        Assert.Equal(text, await File.ReadAllTextAsync(session.DirectoryOf().StateFile + ".damaged-1", Interrupt));
        var state = session.DirectoryOf().ReadState();
        Assert.Equal((3, "123456789012"), (state.HostKeys.Count, state.Place?.Account));
    }

    [Theory]
    [InlineData("plan", 0)]
    [InlineData("logs", 4)]
    [InlineData("ssh host-1", 4)]
    [InlineData("rollback", 4)]
    [InlineData("bench", 4)]
    [InlineData("unlock", 4)]
    [InlineData("state export /nowhere/lab.state", 1)]
    [InlineData("list", 0)]
    public async Task Any_TornState_IsNoFaultOfTheProgramAndChangesNothing(string verb, int code)
    {
        await using var session = await TornAsync("{");
        var mutations = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, verb);

        Assert.Equal(code, result.Code);
        Assert.DoesNotContain("fault of this program", result.Error, StringComparison.Ordinal);
        if (code == 4) Assert.Contains("'publish' reads the keys from their consoles", result.Error, StringComparison.Ordinal);
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal("{", await File.ReadAllTextAsync(session.DirectoryOf().StateFile, Interrupt));
    }

    [Fact]
    public async Task Status_TornState_TellsHostsAndWhatToDo()
    {
        await using var session = await TornAsync("{");

        var result = await RunAsync(session, "status --json");

        Assert.Equal(4, result.Code);
        using var status = JsonDocument.Parse(result.Out);
        Assert.All(status.RootElement.GetProperty("hosts").EnumerateArray(), host =>
        {
            Assert.Equal("running", host.GetProperty("state").GetString());
            Assert.Contains("'publish' reads it", host.GetProperty("problem").GetString(), StringComparison.Ordinal);
        });
        Assert.Equal("{", await File.ReadAllTextAsync(session.DirectoryOf().StateFile, Interrupt));
    }

    [Theory]
    [InlineData("destroy --yes", 0)]
    [InlineData("status", 0)]
    [InlineData("publish", 2)]
    public async Task Any_ImpossibleOptionRemembered_IsInTheWayOfPublishAlone(string verb, int code)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var state = session.DirectoryOf().ReadState();
        session.DirectoryOf().WriteState(state with { Options = new(state.Options) { ["--disk"] = "none" } });

        var result = await RunAsync(session, verb);

        Assert.Equal(code, result.Code);
        Assert.Contains("--disk 'none'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Destroy_TornStateAndAnotherRegion_KeepsTheKey()
    {
        await using var session = await TornAsync("");
        await using var elsewhere = await Ec2StandIn.StandIn.StartAsync();
        Regions["eu-west-1"] = elsewhere;

        var result = await RunAsync(session, "destroy --yes --region eu-west-1");

        Assert.Equal(1, result.Code);
        Assert.Contains("where its hosts are is not known on this machine", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(3, session.Alive().Count);
    }

    [Fact]
    public async Task Destroy_TornStateAndHostsWithAnotherKey_RefusesUnlessToldTo()
    {
        await using var session = await TornAsync("{");
        var machine = session.Elsewhere();
        try
        {
            // The same name and user, in another account say.
            await RunAsync(machine, "publish --hosts 1 --name other");
            File.Copy(machine.DirectoryOf("other").PrivateKeyFile, session.DirectoryOf().PrivateKeyFile, overwrite: true);
        }
        finally
        {
            machine.Forget();
        }

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(3, result.Code);
        Assert.Contains("with another SSH key than this machine's: it may be somebody else's. Nothing was removed.", result.Error, StringComparison.Ordinal);
        Assert.Equal(3, session.Alive().Count);
        Assert.Equal(0, (await RunAsync(session, "destroy --yes --forget")).Code);
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Ttl_TornState_LeavesItSoThatDestroyElsewhereKeepsTheKeyAndPublishTheNumberOfHosts()
    {
        await using var session = await TornAsync("{");
        await using var elsewhere = await Ec2StandIn.StandIn.StartAsync();
        Regions["eu-west-1"] = elsewhere;
        await RunAsync(session, "ttl 4h");

        var result = await RunAsync(session, "destroy --yes --region eu-west-1");
        await RunAsync(session, "publish");

        Assert.Equal(1, result.Code);
        Assert.True(File.Exists(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(3, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_ImpossibleTagRemembered_IsNoFaultOfTheProgram()
    {
        await using var session = await Ec2Session.StartAsync();
        session.DirectoryOf().WriteState(new() { Options = new() { ["--tag"] = "team" } });

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(2, result.Code);
        Assert.Contains("--tag 'team' is no tag", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherMachine_StatusTellsWhatEc2TellsAndDestroyRemoves()
    {
        await using var session = await TornAsync("");
        Directory.Delete(session.DirectoryOf().Path, recursive: true);

        var status = await RunAsync(session, "status");
        var destroyed = await RunAsync(session, "destroy --yes");

        Assert.Equal((4, 0), (status.Code, destroyed.Code));
        Assert.Contains("! its SSH key is not on this machine: 'state import', or 'publish --ssh-key'", status.Out, StringComparison.Ordinal);
        Assert.Contains("US dollars", status.Out, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task OtherMachine_PublishNeedsTheKeyAndTakesItOver()
    {
        await using var session = await TornAsync("");
        var key = Path.Combine(session.Config, "brought");
        File.Move(session.DirectoryOf().PrivateKeyFile, key);
        Directory.Delete(session.DirectoryOf().Path, recursive: true);
        var other = Path.Combine(session.Config, "other");
        await File.WriteAllTextAsync(other, RsaPem(), Interrupt);
        var mutations = session.StandIn.Mutations.Count;

        var without = await RunAsync(session, "publish");
        var made = File.Exists(session.DirectoryOf().PrivateKeyFile);
        var wrong = await RunAsync(session, $"publish --ssh-key {other}");
        var right = await RunAsync(session, $"publish --ssh-key {key}");

        Assert.Equal((1, 2, 0), (without.Code, wrong.Code, right.Code));
        Assert.False(made);
        Assert.Contains("'publish --ssh-key FILE'", without.Error, StringComparison.Ordinal);
        Assert.Contains("EC2 shows that the hosts were started with another key", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(session.DirectoryOf().PrivateKeyFile));
        Assert.Equal(0, (await RunAsync(session, "status")).Code);
    }

    [Fact]
    public async Task Publish_RsaKeyInItsPlace_IsImportedAsItIs()
    {
        await using var session = await Ec2Session.StartAsync();
        session.DirectoryOf().WriteSecret(session.DirectoryOf().PrivateKeyFile, RsaPem());

        Assert.Equal(0, (await RunAsync(session, "publish --hosts 1")).Code);

        Assert.StartsWith("ssh-rsa AAAA", Assert.Single(session.StandIn.Keys).PublicKey, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("publish", 2)]
    [InlineData("plan", 2)]
    [InlineData("status", 0)]
    [InlineData("destroy --yes", 0)]
    public async Task Any_KeyFileOfAnotherKind_IsOneLineAndNeverInTheWayOfDestroy(string verb, int code)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.DirectoryOf().WriteSecret(session.DirectoryOf().PrivateKeyFile, EncryptedPem());
        var mutations = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, verb);

        Assert.Equal(code, result.Code);
        Assert.DoesNotContain("fault of this program", result.Error, StringComparison.Ordinal);
        if (code == 0) return;
        Assert.Contains("id_ed25519 cannot be used: it is encrypted with a passphrase", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Publish_HomeCannotBeWritten_IsOneLineBeforeAnythingIsMade()
    {
        await using var session = await Ec2Session.StartAsync();
        await File.WriteAllTextAsync(session.Home, "in the way", Interrupt);

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(1, result.Code);
        Assert.Contains("lab/lab cannot be written: ", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed.\n", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Destroy_AuditLogCannotBeWritten_GoesOnAndSaysSoOnce()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        File.Delete(session.DirectoryOf().AuditFile);
        File.CreateSymbolicLink(session.DirectoryOf().AuditFile, "/dev/full");

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(0, result.Code);
        Assert.Single(result.Error.Split('\n'), line => line.Contains("The audit log has gaps", StringComparison.Ordinal));
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Publish_EmptyApiKey_IsOneLineBeforeAnythingIsMade()
    {
        await using var session = await Ec2Session.StartAsync();
        session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, "api-key"), "");

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(1, result.Code);
        Assert.Contains("api-key is empty", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    private static string RsaPem()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportRSAPrivateKeyPem() + "\n";
    }

    private static string EncryptedPem()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)) + "\n";
    }

    // Three hosts, fewer than the default: what is lost is the number too.
    private async Task<Ec2Session> TornAsync(string text)
    {
        var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await File.WriteAllTextAsync(session.DirectoryOf().StateFile, text, Interrupt);
        return session;
    }
}
