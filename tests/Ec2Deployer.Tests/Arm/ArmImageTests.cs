using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Arm;

/// <summary>The worker's image for Arm, built as <c>publish</c> builds it, and run by an emulated processor.</summary>
public sealed class ArmImageTests : IDisposable
{
    private const int ElfMachine = 18, Aarch64 = 183;
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-arm-").FullName;
    private readonly HttpClient _http = new();

    public void Dispose()
    {
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Worker_ImageForArm_AnswersOnAnEmulatedProcessor()
    {
        Assert.SkipUnless(ArmMachine.Obstacle is null, ArmMachine.Obstacle ?? "");
        var image = await BuildAsync(registry => registry.Both);
        Assert.Equal("arm64", image.Architecture);

        // A tag that means one image alone is taken by the SDK, whatever it is for.
        var failure = await Assert.ThrowsAsync<DeploymentException>(() => BuildAsync(registry => registry.Amd64));
        Assert.Equal(ExitCode.Failed, failure.Code);
        Assert.Contains("is for amd64 processors, and the hosts have arm64", failure.Message, StringComparison.Ordinal);

        var root = await UnpackAsync(image);
        // The emulator shows this machine's processors, which the runtime for Arm, depending on what they are, falls over.
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "proc")).FullName, "cpuinfo"), ArmMachine.CpuInfo(System.Environment.ProcessorCount), TestContext.Current.CancellationToken);
        var native = Directory.EnumerateFiles(Path.Combine(root, "app"), "*onnxruntime*", SearchOption.AllDirectories).Where(file => !file.EndsWith("Microsoft.ML.OnnxRuntime.dll", StringComparison.Ordinal)).ToList();
        Assert.Equal(["libonnxruntime.so", "libonnxruntime_providers_shared.so"], native.Select(file => Path.GetRelativePath(Path.Combine(root, "app"), file)).Order(StringComparer.Ordinal));
        Assert.All([.. native, Path.Combine(root, "app", "Worker")], file => Assert.Equal(Aarch64, File.ReadAllBytes(file)[ElfMachine]));

        var port = FreePorts.Take().ToString(CultureInfo.InvariantCulture);
        var started = Stopwatch.GetTimestamp();
        await using var worker = ChildProcess.Start(ArmMachine.Emulator, ["-L", root, Path.Combine(root, "app", "Worker"), "--urls", $"http://127.0.0.1:{port}"], Environment(image), Path.Combine(root, "app"));
        await Eventually.TrueAsync(
            async () => !worker.HasExited ? (await _http.GetAsync($"http://127.0.0.1:{port}/health", TestContext.Current.CancellationToken)).IsSuccessStatusCode : throw new InvalidOperationException(worker.Output),
            "the worker is ready", () => worker.Output, TimeSpan.FromMinutes(4));
        var ready = Stopwatch.GetElapsedTime(started);
        using var response = await _http.PostAsJsonAsync($"http://127.0.0.1:{port}/run_model", new { text = "What a wonderful film!" }, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        TestContext.Current.TestOutputHelper?.WriteLine($"ready after {ready.TotalSeconds:0} s; {answer}");
        Assert.Equal("POSITIVE", answer.GetProperty("label").GetString());
        // On x86-64 with VNNI it is 0.958.
        Assert.InRange(answer.GetProperty("probabilities")[1].GetDouble(), 0.93, 0.98);
        Assert.Contains("to Int8 for this processor", worker.Output, StringComparison.Ordinal);
    }

    private async Task<PackedImage> BuildAsync(Func<TwoArchitecturesRegistry, string> reference)
    {
        using var registry = await TwoArchitecturesRegistry.StartAsync(ArmMachine.Files());
        return await Builder.BuildAsync(ContainerProject.Worker, reference(registry), model: null, TestContext.Current.CancellationToken);
    }

    private ImageBuilder Builder => new(SolutionDirectory.Find(), Path.Combine(_directory, "state"), _http, HostArchitecture.Arm64);

    private async Task<string> UnpackAsync(PackedImage image)
    {
        var root = Directory.CreateDirectory(Path.Combine(_directory, "root")).FullName;
        foreach (var layer in image.Layers)
        {
            await using var file = File.OpenRead(Path.Combine(Builder.LayerDirectory, layer.FileName));
            await using var tar = new GZipStream(file, CompressionMode.Decompress);
            await TarFile.ExtractToDirectoryAsync(tar, root, overwriteFiles: true, TestContext.Current.CancellationToken);
        }

        return root;
    }

    /// <summary>What the image sets, and what .NET needs to run under qemu-user: no memory that is mapped twice.</summary>
    private Dictionary<string, string?> Environment(PackedImage image)
    {
        using var config = JsonDocument.Parse(image.Config);
        var variables = config.RootElement.GetProperty("config").GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()!.Split('=', 2)).ToDictionary(variable => variable[0], variable => (string?)variable[1]);
        variables.Remove("PATH");
        variables["HOME"] = variables["XDG_CACHE_HOME"] = _directory;
        variables["DOTNET_EnableWriteXorExecute"] = "0";
        variables["DOTNET_EnableDiagnostics"] = "0";
        return variables;
    }
}
