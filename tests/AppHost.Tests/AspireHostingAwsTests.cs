using System.Text.RegularExpressions;
using Lab.Testing;

namespace Lab.AppHost.Tests;

/// <summary>AppHost built where the package feeds have Aspire.Hosting.AWS, and where they have not: its own files beside empty services.</summary>
public sealed class AspireHostingAwsTests : IDisposable
{
    // What AppHost.cs uses of the package, with the package's own signatures (aws/integrations-on-dotnet-aspire-for-aws, 13.6.0).
    private const string PackageSource = """
        using Amazon;
        using Aspire.Hosting.ApplicationModel;
        using Aspire.Hosting.AWS;

        namespace Aspire.Hosting.AWS
        {
            public interface IAWSSDKConfig
            {
                string? Profile { get; set; }
                RegionEndpoint? Region { get; set; }
                public bool SDKValidationEnabled { get; set; }
            }
        }

        namespace Aspire.Hosting
        {
            public static class SDKResourceExtensions
            {
                public static IAWSSDKConfig AddAWSSDKConfig(this IDistributedApplicationBuilder builder) => throw new NotImplementedException();
                public static IAWSSDKConfig WithProfile(this IAWSSDKConfig config, string profile) => config;
                public static IAWSSDKConfig WithRegion(this IAWSSDKConfig config, RegionEndpoint region) => config;
                public static IAWSSDKConfig WithRegion(this IAWSSDKConfig config, string systemName) => config;
                public static IAWSSDKConfig WithSdkValidation(this IAWSSDKConfig config, bool sdkValidationEnabled) => config;
                public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IAWSSDKConfig awsSdkConfig)
                    where TDestination : IResourceWithEnvironment => builder;
            }
        }
        """;

    // What AppHost uses of ServiceDefaults.
    private const string ServiceDefaultsSource = """
        using Microsoft.Extensions.DependencyInjection;

        namespace Lab.ServiceDefaults.Starts;

        public static class ServiceRun
        {
            public static void TellFailures(string name) { }
        }

        public static class StartLog
        {
            public static void SilenceFailedStart(this IServiceCollection services) { }
        }

        public static class ListenFailure
        {
            public static string? FirstFault(IEnumerable<(string Setting, string? Addresses)> settings) => null;
        }
        """;

    private static readonly string Solution = BuildMetadata.Of("SolutionDirectory");

    private readonly string _root = Directory.CreateTempSubdirectory("lab-aws-").FullName;

    // The packages that this solution has restored are read where they are; what the test restores beside them stays with it.
    private readonly Dictionary<string, string?> _environment;

    public AspireHostingAwsTests()
    {
        _environment = new() { ["NUGET_PACKAGES"] = Path.Combine(_root, "packages"), ["DOTNET_CLI_HOME"] = _root, ["DOTNET_CLI_UI_LANGUAGE"] = "en" };
        foreach (var file in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json", .. Directory.GetFiles(Path.Combine(Solution, "AppHost")).Select(file => Path.GetRelativePath(Solution, file))])
            Write(file, File.ReadAllText(Path.Combine(Solution, file)));
        foreach (var program in (string[])["Orchestrator", "Worker", "Ec2Deployer", "tests/Bench"])
        {
            Write($"{program}/{Path.GetFileName(program)}.csproj", """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup></Project>""");
            Write($"{program}/Program.cs", "return 0;");
        }

        Write("ServiceDefaults/ServiceDefaults.csproj", """<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup></Project>""");
        Write("ServiceDefaults/ServiceRun.cs", ServiceDefaultsSource);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Build_FeedHasThePackage_UsesItAndAsksOnce()
    {
        UseFeed("feed");
        await PackAsync();

        await BuildAsync();
        Assert.Contains("Aspire.Hosting.AWS.dll", Built());
        Assert.True(File.Exists(Answer("found")));

        // Asked once: nothing is looked for in a feed that is gone.
        Directory.Delete(Path.Combine(_root, "feed"), recursive: true);
        Assert.DoesNotContain("is built without", await BuildAsync("--no-restore"), StringComparison.Ordinal);
        Assert.Contains("Aspire.Hosting.AWS.dll", Built());
    }

    [Fact]
    public async Task Build_FeedLacksThePackage_TakesTheStandInAndAsksOnce()
    {
        UseFeed("feed");

        var first = await BuildAsync();
        Assert.Contains($"AppHost is built without Aspire.Hosting.AWS {Version}, which is not to be had: error NU1101: Unable to find package Aspire.Hosting.AWS", first, StringComparison.Ordinal);
        Assert.True(File.Exists(Answer("missing")));
        Assert.DoesNotContain("Aspire.Hosting.AWS.dll", Built());

        Assert.DoesNotContain("is built without", await BuildAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_FeedGivesNoAnswer_TakesTheStandInAndAsksAgain()
    {
        UseFeed("http://127.0.0.1:1/v3/index.json");

        for (var time = 0; time < 2; time++)
        {
            var output = await RunAsync("msbuild", "AppHost/AppHost.csproj", "-target:LookForAspireHostingAws", "-nodeReuse:false");
            Assert.Contains("which is not to be had: error NU1301: Unable to load the service index", output, StringComparison.Ordinal);
            Assert.False(File.Exists(Answer("found")) || File.Exists(Answer("missing")));
        }
    }

    private static string Version => Regex.Match(File.ReadAllText(Path.Combine(Solution, "Directory.Packages.props")), "<AspireHostingAwsVersion>([0-9.]+)<").Groups[1].Value;

    private string Answer(string what) => Path.Combine(_root, "AppHost/obj", $"Aspire.Hosting.AWS-{Version}.{what}");

    private IEnumerable<string?> Built() => Directory.GetFiles(Path.Combine(_root, "AppHost/bin/Debug/net10.0")).Select(Path.GetFileName);

    private void UseFeed(string source)
    {
        Directory.CreateDirectory(Path.Combine(_root, "feed"));
        Write("nuget.config", $"""
            <configuration>
              <packageSources><clear/><add key="only" value="{source}" allowInsecureConnections="true"/></packageSources>
              <fallbackPackageFolders><clear/><add key="restored" value="{BuildMetadata.Of("Packages")}"/></fallbackPackageFolders>
            </configuration>
            """);
    }

    private async Task PackAsync()
    {
        Write("package/Aspire.Hosting.AWS.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <Version>{Version}</Version>
                <CentralPackageTransitivePinningEnabled>true</CentralPackageTransitivePinningEnabled>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Aspire.Hosting" VersionOverride="$(AspireVersion)" /><PackageReference Include="AWSSDK.EC2" /></ItemGroup>
            </Project>
            """);
        Write("package/Package.cs", PackageSource);
        await RunAsync("pack", "package/Aspire.Hosting.AWS.csproj", "--output", Path.Combine(_root, "feed"));
    }

    private Task<string> BuildAsync(params string[] options) => RunAsync(["build", "AppHost/AppHost.csproj", "-nodeReuse:false", .. options]);

    private async Task<string> RunAsync(params string[] arguments)
    {
        var run = await ChildProcess.RunAsync("dotnet", arguments, _environment, _root);
        Assert.True(run.Code == 0, run.Output + run.Error);
        return run.Output;
    }

    private void Write(string file, string text)
    {
        var path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
