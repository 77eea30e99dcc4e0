using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>A deployment handed to another machine as one file.</summary>
[SupportedOSPlatform("linux")]
public sealed class StateCommandTests : CommandTest
{
    private const string Passphrase = "correct horse battery";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ExportAndImport_OnAnotherMachine_MakesItWholeThere(bool encrypted)
    {
        await using var session = await PublishedAsync();
        var option = encrypted ? $" --passphrase-file {await PassphraseFileAsync(session)}" : "";
        var before = Contents(session);

        var exported = await RunAsync(session, $"state export {Archive(session)}{option}");
        Directory.Delete(session.DirectoryOf().Path, recursive: true);
        var imported = await RunAsync(session, $"state import {Archive(session)}{option}");
        var mutations = session.StandIn.Mutations.Count;

        Assert.Equal((0, 0), (exported.Code, imported.Code));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Archive(session)));
        Assert.Equal(before, Contents(session));
        Assert.All(Directory.GetFiles(session.DirectoryOf().Path), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(encrypted, !exported.Error.Contains("is not encrypted", StringComparison.Ordinal));
        Assert.Equal(encrypted, !(await File.ReadAllTextAsync(Archive(session), Interrupt)).Contains("PRIVATE KEY", StringComparison.Ordinal));
        Assert.Contains("'lab' in us-east-1 (account 123456789012) is taken over", imported.Out, StringComparison.Ordinal);
        Assert.Equal((0, 0), ((await RunAsync(session, "publish")).Code, (await RunAsync(session, "status")).Code));
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Export_FilesThatOptionsName_AreToldToBeElsewhere()
    {
        await using var session = await PublishedAsync();
        var state = session.DirectoryOf().ReadState();
        session.DirectoryOf().WriteState(state with { Options = new(state.Options) { ["--certificate"] = "/etc/ana.pem" } });

        var exported = await RunAsync(session, $"state export {Archive(session)}");
        var imported = await RunAsync(session, $"state import {Archive(session)}");

        Assert.Contains("What --certificate names (/etc/ana.pem) is not in it", exported.Error, StringComparison.Ordinal);
        Assert.Contains("--certificate names /etc/ana.pem, which is not on this machine", imported.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_PassphraseAskedFor_OpensItAgain()
    {
        await using var session = await PublishedAsync();
        Answer = $"{Passphrase}\n{Passphrase}";
        Assert.Equal(0, (await RunAsync(session, $"state export {Archive(session)} --encrypt")).Code);

        Assert.Equal(0, (await RunAsync(session, $"state import {Archive(session)}")).Code);
    }

    [Theory]
    [InlineData("short\nshort", "at least 12 characters")]
    [InlineData("correct horse battery\ncorrect horse", "differ")]
    public async Task Export_NoGoodPassphrase_WritesNothing(string answer, string words)
    {
        await using var session = await PublishedAsync();
        Answer = answer;

        var result = await RunAsync(session, $"state export {Archive(session)} --encrypt");

        Assert.Equal(2, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Archive(session)));
    }

    [Fact]
    public async Task Export_FileThatIsThere_IsLeftAsItIs()
    {
        await using var session = await PublishedAsync();
        await File.WriteAllTextAsync(Archive(session), "precious", Interrupt);

        var result = await RunAsync(session, $"state export {Archive(session)}");

        Assert.Equal(1, result.Code);
        Assert.Contains("was not written: it is there already", result.Error, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(Archive(session), Interrupt));
    }

    [Fact]
    public async Task Export_NothingHere_SaysSo()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"state export {Archive(session)} --name other");

        Assert.Equal(1, result.Code);
        Assert.Contains("There is nothing of 'other' to hand on", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Archive(session)));
    }

    [Fact]
    public async Task Import_WrongPassphrase_ChangesNothing()
    {
        await using var session = await PublishedAsync();
        await RunAsync(session, $"state export {Archive(session)} --passphrase-file {await PassphraseFileAsync(session)}");
        Directory.Delete(session.DirectoryOf().Path, recursive: true);
        Answer = "correct horse batterY";

        await RefusedAsync(session, $"state import {Archive(session)}", "the passphrase is wrong, or the file was changed");
    }

    [Fact]
    public async Task Import_EncryptedAndNobodyToAsk_NamesTheOption()
    {
        await using var session = await PublishedAsync();
        await RunAsync(session, $"state export {Archive(session)} --passphrase-file {await PassphraseFileAsync(session)}");

        var result = await RunAsync(session, $"state import {Archive(session)}");

        Assert.Equal(2, result.Code);
        Assert.Contains("--passphrase-file", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iterations", "20000000", "is not whole")]
    [InlineData("iterations", "1", "the passphrase is wrong, or the file was changed")]
    [InlineData("content", "\"AAAA\"", "the passphrase is wrong, or the file was changed")]
    [InlineData("tag", "\"AAAA\"", "is not whole")]
    public async Task Import_EncryptedAndChanged_ChangesNothing(string field, string value, string words)
    {
        await using var session = await PublishedAsync();
        var passphrase = await PassphraseFileAsync(session);
        await RunAsync(session, $"state export {Archive(session)} --passphrase-file {passphrase}");
        Directory.Delete(session.DirectoryOf().Path, recursive: true);
        var archive = JsonNode.Parse(await File.ReadAllTextAsync(Archive(session), Interrupt))!;
        archive["encrypted"]![field] = JsonNode.Parse(value);
        await File.WriteAllTextAsync(Archive(session), archive.ToJsonString(), Interrupt);

        await RefusedAsync(session, $"state import {Archive(session)} --passphrase-file {passphrase}", words);
    }

    [Theory]
    [InlineData("", "not made by 'state export'")]
    [InlineData("{\"format\":\"lab-dep", "not made by 'state export'")]
    [InlineData("{\"format\":\"zip\",\"version\":1}", "not made by 'state export'")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":2}", "newer version")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1}", "holds no deployment")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1,\"content\":{\"name\":\"lab\",\"files\":{\"../../.ssh/authorized_keys\":\"x\"}}}", "it holds a file '../../.ssh/authorized_keys'")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1,\"content\":{\"name\":\"../lab\",\"files\":{\"api-key\":\"x\"}}}", "holds no deployment")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1,\"content\":{\"name\":\"lab\",\"files\":{\"api-key\":\"x\"}}}", "no SSH key and state")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1,\"content\":{\"name\":\"lab\",\"files\":{\"state.json\":\"{\",\"id_ed25519\":\"x\"}}}", "its state is torn")]
    [InlineData("{\"format\":\"lab-deployment\",\"version\":1,\"content\":{\"name\":\"lab\",\"files\":{\"state.json\":\"{\\\"options\\\":{},\\\"host_keys\\\":{},\\\"launching\\\":{}}\",\"id_ed25519\":\"x\"}}}", "it holds no private key")]
    public async Task Import_NoArchive_ChangesNothing(string text, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await File.WriteAllTextAsync(Archive(session), text, Interrupt);

        await RefusedAsync(session, $"state import {Archive(session)}", words);
    }

    [Fact]
    public async Task Import_TooLarge_IsNotRead()
    {
        await using var session = await Ec2Session.StartAsync();
        await using (var file = File.Create(Archive(session))) file.SetLength(StateArchive.MaxBytes + 1);

        await RefusedAsync(session, $"state import {Archive(session)}", "larger than 4 MiB");
    }

    [Fact]
    public async Task Import_AnotherDeploymentsKeysAreHere_AreNotOverwritten()
    {
        await using var session = await PublishedAsync();
        await RunAsync(session, $"state export {Archive(session)}");
        Directory.Delete(session.DirectoryOf().Path, recursive: true);
        var other = DeploymentKey.Ensure(session.DirectoryOf());

        var result = await RunAsync(session, $"state import {Archive(session)}");

        Assert.Equal(1, result.Code);
        Assert.Contains("it may open another deployment's hosts. Nothing was changed.", result.Error, StringComparison.Ordinal);
        Assert.Equal(other, DeploymentKey.PublicKey(session.DirectoryOf()));
    }

    [Fact]
    public async Task Import_SameDeploymentWithAnotherState_KeepsTheFormerBesideIt()
    {
        await using var session = await PublishedAsync();
        await RunAsync(session, $"state export {Archive(session)}");
        var state = session.DirectoryOf().ReadState();
        session.DirectoryOf().WriteState(state with { HostKeys = [] });

        Assert.Equal(0, (await RunAsync(session, $"state import {Archive(session)}")).Code);

        Assert.Equal(state.HostKeys, session.DirectoryOf().ReadState().HostKeys);
        Assert.True(File.Exists(session.DirectoryOf().StateFile + ".replaced-1"));
    }

    [Fact]
    public async Task Import_AnotherNameThanTheOneAskedFor_IsRefused()
    {
        await using var session = await PublishedAsync();
        await RunAsync(session, $"state export {Archive(session)}");

        var result = await RunAsync(session, $"state import {Archive(session)} --name other");

        Assert.Equal(1, result.Code);
        Assert.Contains("it holds 'lab', not 'other'", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(session.DirectoryOf("other").Path));
    }

    private static string Archive(Ec2Session session) => Path.Combine(session.Config, "lab.state");

    private static SortedDictionary<string, string> Contents(Ec2Session session) => new(
        StateArchive.Files.Select(name => Path.Combine(session.DirectoryOf().Path, name)).Where(File.Exists).ToDictionary(file => Path.GetFileName(file), File.ReadAllText), StringComparer.Ordinal);

    private async Task<Ec2Session> PublishedAsync()
    {
        var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Assert.Equal(4, Contents(session).Count);
        return session;
    }

    private async Task<string> PassphraseFileAsync(Ec2Session session)
    {
        var file = Path.Combine(session.Config, "passphrase");
        await File.WriteAllTextAsync(file, Passphrase + "\n", Interrupt);
        return file;
    }

    private async Task RefusedAsync(Ec2Session session, string line, string words)
    {
        var result = await RunAsync(session, line);

        Assert.Equal("", result.Out);
        Assert.NotEqual(0, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(session.DirectoryOf().Path));
    }
}
