using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>What a story on the rig has: EC2 with real hosts behind it, the program before it, and a key to look for where it must not be.</summary>
internal sealed class FleetStory : IAsyncDisposable
{
    /// <summary>The API key, known beforehand.</summary>
    public const string Key = "planted-8d1f0c52a7e94b36-key";

    private const int AddressesOfALane = 80;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly RigFixture _rig;
    private readonly ITestOutputHelper _output;
    private readonly DateTime _started = DateTime.UtcNow;
    private readonly StringBuilder _said = new();
    private readonly Dictionary<string, string> _originals = [];

    private FleetStory(RigFixture rig, ITestOutputHelper output, RigBackend backend, StandIn ec2, string configDirectory)
    {
        (_rig, _output, Backend, Ec2) = (rig, output, backend, ec2);
        Program = new(rig, ec2, configDirectory, Say);
        Secret = new(Key);
    }

    public RigBackend Backend { get; }

    public StandIn Ec2 { get; }

    public DeployerProgram Program { get; }

    /// <summary>Watches for the key.</summary>
    public PlantedSecret Secret { get; }

    /// <summary>Everything that the program has written, and the story.</summary>
    public string Said
    {
        get { lock (_said) return _said.ToString(); }
    }

    /// <summary>Begins a story.</summary>
    /// <param name="rig">What all stories share.</param>
    /// <param name="output">Is told what happens.</param>
    /// <param name="lane">Stories that are told at the same time have different lanes: own addresses, and an own directory in which their deployment is known.</param>
    public static async Task<FleetStory> StartAsync(RigFixture rig, ITestOutputHelper output, int lane = 0)
    {
        var config = rig.ConfigDirectoryOf(lane);
        var state = RigFixture.StateDirectoryIn(config);
        Directory.CreateDirectory(state, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // A story that broke off has destroyed nothing, and its hosts' addresses are used again.
        foreach (var remembered in (string[])["known_hosts", "state.json"]) File.Delete(Path.Combine(state, remembered));
        var file = Path.Combine(state, "api-key");
        await File.WriteAllTextAsync(file, Key);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var backend = new RigBackend(rig.HostsDirectory, RigBackend.UsualNumber + (AddressesOfALane * lane));
        var ec2 = await StandIn.StartAsync(backend);
        // How patient the deployer is with EC2 is tried elsewhere, and costs minutes.
        (ec2.Options.Lag, ec2.Options.PageSize, ec2.Options.EmptyConsoleReads) = (0, 100, 0);
        return new(rig, output, backend, ec2, config);
    }

    /// <summary>A <c>publish</c>, <c>scale</c> or <c>rollback</c> that succeeds.</summary>
    public async Task<FleetReport> ReportAsync(params string[] arguments)
    {
        var run = await Program.RunAsync([.. arguments, "--json"]);
        Assert.True(run.Code == 0, run.Error);
        return JsonSerializer.Deserialize<FleetReport>(run.Output, Json)!;
    }

    /// <summary>What <c>status</c> tells, and its exit code.</summary>
    public async Task<(int Code, JsonElement Status)> StatusAsync()
    {
        var run = await Program.RunAsync("status", "--json");
        Assert.True(run.Code is 0 or (int)ExitCode.HostFailed, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        return (run.Code, document.RootElement.Clone());
    }

    /// <summary>All healthy with one version, each on a port of its own.</summary>
    public static void AssertHealthy(FleetReport report, int containers)
    {
        Assert.Equal(containers, report.Containers.Count);
        Assert.All(report.Containers, container => Assert.Equal(("healthy", report.Version), (container.Health, container.Version)));
        Assert.Equal(containers, report.Containers.Select(container => (container.Host, container.Port)).Distinct().Count());
    }

    /// <summary>A client with a key, or none.</summary>
    public static HttpClient Client(FleetReport report, string? key = Key)
    {
        var http = new HttpClient(Pinned(report.CertificateFile!)) { BaseAddress = report.Address };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    /// <summary>Clients that ask all the time, and have been answered a hundred times.</summary>
    public static async Task<Load> LoadAsync(FleetReport report, int clients)
    {
        var load = new Load(Pinned(report.CertificateFile!), report.Address, Key, clients);
        await load.UntilMoreAsync(100, TestContext.Current.CancellationToken);
        return load;
    }

    /// <summary>Believes the certificates that <c>publish</c> has kept, and no others.</summary>
    /// <param name="file">The file in which they are.</param>
    public static SocketsHttpHandler Pinned(string file)
    {
        var kept = new X509Certificate2Collection();
        kept.ImportFromPemFile(file);
        var believed = kept.Select(FleetKeys.Fingerprint).ToHashSet();
        return new()
        {
            AllowAutoRedirect = false,
            SslOptions = new() { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate && believed.Contains(FleetKeys.Fingerprint(certificate)) },
        };
    }

    /// <summary>Changes the sources from which the images are built, until the story ends.</summary>
    public void Edit(string file, string old, string replacement)
    {
        var path = Path.Combine(_rig.SourceDirectory, file);
        var text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        _originals.TryAdd(path, text);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    /// <summary>Removes everything, and looks whether anything is left at EC2.</summary>
    public async Task DestroyAsync()
    {
        var destroyed = await Program.RunAsync("destroy", "--yes");
        Assert.True(destroyed.Code == 0, destroyed.Error);
        Assert.All(Ec2.Instances, instance => Assert.Equal("terminated", instance.State));
        Assert.Empty(Backend.Running);
        Assert.Empty(Ec2.Groups);
        Assert.Empty(Ec2.Keys);
        Assert.Empty(Ec2.Volumes);
        Assert.Equal(0, (await Program.RunAsync("destroy", "--yes")).Code);
    }

    /// <summary>The secret is in the files that its owner alone may read, and nowhere else.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="files">Those files.</param>
    public async Task AssertOnlyInAsync(PlantedSecret secret, params string[] files)
    {
        Assert.Empty(secret.Processes);
        Assert.DoesNotContain(secret.Text, Said, StringComparison.Ordinal);
        Assert.DoesNotContain(Ec2.Requests.SelectMany(request => request.Fields.Values), value => value.Contains(secret.Text, StringComparison.Ordinal));
        Assert.DoesNotContain(Ec2.Instances, instance => instance.UserData.Contains(secret.Text, StringComparison.Ordinal));
        Assert.Equal(files.Order(StringComparer.Ordinal), (await secret.FilesBelowAsync(_rig.HostsDirectory)).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        foreach (var directory in Backend.Running.Values.SelectMany(host => (string[])[Path.Combine(host.Root, "run"), Path.Combine(host.Root, "tmp")]))
            Assert.Empty(await secret.FilesBelowAsync(directory));
    }

    public void Say(string what)
    {
        lock (_said) _said.AppendLine(what);
        _output.WriteLine($"{(DateTime.UtcNow - _started).TotalSeconds:F1} {what}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (path, text) in _originals) await File.WriteAllTextAsync(path, text);
        await Secret.DisposeAsync();
        await Ec2.DisposeAsync();
        await Backend.DisposeAsync();
    }
}
