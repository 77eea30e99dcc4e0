using System.Text.Json;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Snapshots;
using YamlDotNet.Serialization;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What <c>plan --output</c> writes.</summary>
public sealed class PlanOutputTests : CommandTest
{
    private static readonly string[] Files = ["cloud-init/host-1.yaml", "cloud-init/host-2.yaml", "cloud-init/orchestrator.yaml", "plan.json", "plan.txt", "stack.yml"];

    [Theory]
    [InlineData("plan --offline --hosts 2")]
    [InlineData("plan --offline --hosts 2 --verbose")]
    public async Task Plan_Output_WritesWhatItPrintsAndTheDocuments(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        var directory = Path.Combine(session.Config, "deep", "plan");

        var result = await RunAsync(session, $"{line} --output {directory}");

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Equal(Files, Written(directory));
        Assert.Equal(result.Out, Read(directory, "plan.txt"));
        Assert.Equal((await RunAsync(session, line)).Out, result.Out);
        Assert.Equal((await RunAsync(session, "plan --offline --hosts 2 --verbose --json")).Out, Read(directory, "plan.json"));
        Assert.All(["orchestrator", "host-1", "host-2"], host => Assert.Equal(CloudInit.Document(host, ttl: null), Read(directory, $"cloud-init/{host}.yaml")));
        var release = new ReleaseOptions { Deployment = "lab", StateDirectory = "", PrivateKeyFile = "" };
        Assert.Equal(RemotePlan.Target(release, StackTimes.Default).Text, Read(directory, "stack.yml"));
    }

    [Fact]
    public async Task Plan_OutputWithJson_PrintsJsonAndWritesTheTextForPeople()
    {
        await using var session = await Ec2Session.StartAsync();
        var directory = Path.Combine(session.Config, "plan");

        var result = await RunAsync(session, $"plan --offline --json --output {directory}");

        Snapshot.Matches("plan.json", result.Out);
        Snapshot.Matches("plan.txt", Read(directory, "plan.txt"));
    }

    [Fact]
    public async Task Plan_Output_CloudInitOfEachHostAndTheStackAreYaml()
    {
        await using var session = await Ec2Session.StartAsync();
        var directory = Path.Combine(session.Config, "plan");

        await RunAsync(session, $"plan --offline --ttl 4h --output {directory}");

        var yaml = new DeserializerBuilder().Build();
        Assert.Equal("host-4", yaml.Deserialize<Dictionary<string, object>>(Read(directory, "cloud-init/host-4.yaml"))["hostname"]);
        var stack = yaml.Deserialize<Dictionary<string, object>>(Read(directory, "stack.yml"));
        Assert.Equal(StackFile.Services, ((Dictionary<object, object>)stack["services"]).Keys);
    }

    [Fact]
    public async Task Plan_OutputAgain_OverwritesItsFilesAndNothingElse()
    {
        await using var session = await Ec2Session.StartAsync();
        var directory = Directory.CreateDirectory(Path.Combine(session.Config, "plan", "cloud-init")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "plan.txt"), new string('x', 100_000), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, "cloud-init", "host-9.yaml"), "mine", TestContext.Current.CancellationToken);

        var result = await RunAsync(session, $"plan --offline --hosts 2 --output {directory}");

        Assert.Equal(Files.Append("cloud-init/host-9.yaml").Order(StringComparer.Ordinal), Written(directory));
        Assert.Equal(result.Out, Read(directory, "plan.txt"));
        Assert.Equal("mine", Read(directory, "cloud-init/host-9.yaml"));
    }

    [Fact]
    public async Task Plan_OutputOfADeployment_HoldsNoSecret()
    {
        await using var session = await Ec2Session.StartAsync();
        var postgres = Path.Combine(session.Config, "postgres");
        await File.WriteAllTextAsync(postgres, "Host=db;Password=planted-password", TestContext.Current.CancellationToken);
        await RunAsync(session, $"publish --hosts 2 --postgres {postgres}");
        foreach (var name in (string[])["api-key", "admin-key"]) session.DirectoryOf().WriteSecret(Path.Combine(session.DirectoryOf().Path, name), $"planted-{name}");
        var key = string.Concat(File.ReadLines(session.DirectoryOf().PrivateKeyFile).Where(line => line[0] != '-'));
        var directory = Path.Combine(session.Config, "plan");

        var result = await RunAsync(session, $"plan --verbose --output {directory}");

        Assert.Equal(0, result.Code);
        using var document = JsonDocument.Parse(Read(directory, "plan.json"));
        Assert.True(document.RootElement.GetProperty("observed").GetBoolean());
        Assert.All(Written(directory), file =>
        {
            var text = Read(directory, file);
            Assert.DoesNotContain("planted", text, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE KEY", text, StringComparison.Ordinal);
            Assert.DoesNotContain(key[^60..], text, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("file", "is no directory")]
    [InlineData("file/below", "cannot be written")]
    [InlineData("taken", "cannot be written")]
    public async Task Plan_OutputThatCannotBeWritten_EndsWithTwoAndOneSentence(string name, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(session.Config, "file"), "mine", TestContext.Current.CancellationToken);
        // Another kind of refusal, which root meets too: no file can be where a directory is.
        Directory.CreateDirectory(Path.Combine(session.Config, "taken", "plan.txt"));
        var directory = Path.Combine(session.Config, name);

        var result = await RunAsync(session, $"plan --offline --output {directory}");

        Assert.Equal((2, ""), (result.Code, result.Out));
        var sentence = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"--output '{directory}' {words}", sentence, StringComparison.Ordinal);
        Assert.Equal("mine", Read(session.Config, "file"));
    }

    [Fact]
    public async Task Plan_OutputWithoutPermission_EndsWithTwoAndOneSentence()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "Nothing is closed to root.");
        await using var session = await Ec2Session.StartAsync();
        var closed = Directory.CreateDirectory(Path.Combine(session.Config, "closed"), UnixFileMode.UserRead | UnixFileMode.UserExecute).FullName;

        var result = await RunAsync(session, $"plan --offline --output {Path.Combine(closed, "plan")}");

        Assert.Equal(2, result.Code);
        Assert.Contains("cannot be written", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string Read(string directory, string name) => File.ReadAllText(Path.Combine(directory, name));

    private static IEnumerable<string> Written(string directory) =>
        Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(directory, file).Replace('\\', '/')).Order(StringComparer.Ordinal);
}
