using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text.RegularExpressions;
using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests;

/// <summary>Which flavour the project file chooses: the real project file, restored against feeds of all sorts.</summary>
public sealed class FlavourTests : IDisposable
{
    private static readonly string Solution = typeof(FlavourTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "SolutionDirectory").Value!;

    private readonly string _root = Directory.CreateTempSubdirectory("lab-flavour-").FullName;

    public FlavourTests()
    {
        foreach (var file in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json", "AppHost/AppHost.csproj", "AppHost/LookForAspire.targets", "AppHost/LocalHost/LocalHost.props", "AppHost/LocalHost/LocalHost.targets"])
            Write(file, File.ReadAllText(Path.Combine(Solution, file)));
        foreach (var service in (string[])["Orchestrator", "Worker"])
            Write($"{service}/{service}.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        Directory.CreateDirectory(Path.Combine(_root, "feed"));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Look_FeedWithoutAspire_IsRememberedAsFinal()
    {
        WriteFeed("feed");

        var first = await LookAsync();
        var second = await LookAsync();

        Says(first, "AppHost: looking for Aspire ");
        Says(first, "AppHost: built with LocalHost, for the package feeds have no Aspire ");
        Says(first, "(Unable to find package Aspire.AppHost.Sdk.");
        Assert.DoesNotContain("looking for Aspire", second, StringComparison.Ordinal);
        Says(second, "AppHost: built with LocalHost, for the package feeds have no Aspire ");
        Assert.Single(Directory.GetFiles(Path.Combine(_root, "AppHost/obj"), "*.missing"));
    }

    [Fact]
    public async Task Look_DeadFeed_SaysTheReasonAndLooksAgainLater()
    {
        WriteFeed("http://127.0.0.1:1/v3/index.json");

        var first = await LookAsync();
        var second = await LookAsync();

        Says(first, "warning LAB0001: Could not find out whether the package feeds have Aspire ");
        Says(first, "Unable to load the service index for source http://127.0.0.1:1/v3/index.json");
        Assert.DoesNotContain("looking for Aspire", second, StringComparison.Ordinal);
        Says(second, "warning LAB0001");
        Assert.Empty(Directory.GetFiles(Path.Combine(_root, "AppHost/obj"), "*.missing"));

        File.SetLastWriteTimeUtc(Directory.GetFiles(Path.Combine(_root, "AppHost/obj"), "*.trouble").Single(), DateTime.UtcNow.AddMinutes(-11));
        Says(await LookAsync(), "looking for Aspire");
    }

    [Fact]
    public async Task Look_SilentFeed_GivesUpInTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        WriteFeed($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/v3/index.json");

        var output = await LookAsync("-p:AspireLookSeconds=3");

        Says(output, "no answer within 3 s. AppHost is built with LocalHost.");
        Assert.Empty(Directory.GetFiles(Path.Combine(_root, "AppHost/obj"), "*.missing"));
    }

    [Fact]
    public async Task Look_BrokenNugetConfig_IsNotTakenForNoAspire()
    {
        Write("nuget.config", "<configuration><packageSources>");

        var output = await LookAsync();

        Says(output, "NuGet.Config is not valid XML");
        Assert.DoesNotContain("have no Aspire", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_root, "AppHost/obj")) && Directory.GetFiles(Path.Combine(_root, "AppHost/obj"), "*.missing").Length > 0);
    }

    [Fact]
    public async Task Restore_FeedWithAspire_ChoosesAspire()
    {
        var version = VersionOf("<AspireVersion>");
        WriteFeed("feed");
        Pack("Aspire.AppHost.Sdk", version);
        Pack("Aspire.Hosting.AppHost", version);
        Pack("Aspire.Hosting.AWS", VersionOf("\"Aspire.Hosting.AWS\" Version=\""));
        // What LocalHost needs is restored in the same breath.
        foreach (var package in (string[])["Google.Protobuf", "Grpc.Tools", "Microsoft.FluentUI.AspNetCore.Components"])
            Pack(package, VersionOf($"\"{package}\" Version=\""));

        Says(await RestoreAsync(), $"AppHost: built with Aspire {version}.");
        Says(await RestoreAsync("-p:UseAspire=false"), "built with LocalHost, without Aspire, as UseAspire=false says.");
    }

    [Fact]
    public async Task Look_FeedWithPartOfAspire_NamesWhatIsMissing()
    {
        WriteFeed("feed");
        var version = VersionOf("<AspireVersion>");
        Pack("Aspire.AppHost.Sdk", version);
        Pack("Aspire.Hosting.AppHost", version);

        var output = await LookAsync();

        Says(output, "Unable to find package Aspire.Hosting.AWS");
        Says(output, "AppHost: built with LocalHost");
    }

    // The central versions are the only place that knows them.
    private static string VersionOf(string pattern)
        => Regex.Match(File.ReadAllText(Path.Combine(Solution, "Directory.Packages.props")), pattern + "([0-9.]+)").Groups[1].Value;

    private void Write(string file, string text)
    {
        var path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private void WriteFeed(string source)
        => Write("nuget.config", $"""<configuration><packageSources><clear/><add key="only" value="{source}" allowInsecureConnections="true"/></packageSources></configuration>""");

    // An empty package; as an SDK it hands everything on to the one of .NET.
    private void Pack(string id, string version)
    {
        using var package = ZipFile.Open(Path.Combine(_root, "feed", $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        Entry($"{id}.nuspec", $"""
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
            <id>{id}</id><version>{version}</version><authors>test</authors><description>test</description></metadata></package>
            """);
        Entry("Sdk/Sdk.props", """<Project><Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" /></Project>""");
        Entry("Sdk/Sdk.targets", """<Project><Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" /></Project>""");

        void Entry(string name, string text)
        {
            using var writer = new StreamWriter(package.CreateEntry(name).Open());
            writer.Write(text);
        }
    }

    // Shows the whole output where the text is not in it.
    private static void Says(string output, string text) => Assert.True(output.Contains(text, StringComparison.Ordinal), $"No '{text}' in\n{output}");

    // What the first restore does for AppHost, without its seconds of restoring anything.
    private Task<string> LookAsync(string option = "") => RunAsync("-target:LookForAspire;SayFlavour", option);

    // Restores as a build does and tells the flavour, but compiles nothing.
    private Task<string> RestoreAsync(string option = "") => RunAsync("-restore -target:SayFlavour", option);

    private async Task<string> RunAsync(string targets, string option)
    {
        var start = new ProcessStartInfo(Runtime.Dotnet, $"msbuild AppHost/AppHost.csproj {targets} -noLogo -nodeReuse:false -terminalLogger:off {option}")
        {
            WorkingDirectory = _root,
            RedirectStandardOutput = true,
        };
        start.Environment["NUGET_PACKAGES"] = Path.Combine(_root, "packages");
        start.Environment["NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        return output;
    }
}
