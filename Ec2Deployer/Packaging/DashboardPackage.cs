using System.Reflection;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Aspire's dashboard as NuGet has it: one program that needs no runtime, and the files of its pages.</summary>
internal static class DashboardPackage
{
    /// <summary>The program's file.</summary>
    public const string Program = "Aspire.Dashboard";

    // Published for x64 alone where this was written: a fleet of another architecture has no dashboard.
    private const string Id = "Aspire.Dashboard.Sdk.linux-x64";

    /// <summary>Its version, that of all of Aspire in this solution.</summary>
    public static string Version { get; } = typeof(DashboardPackage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "AspireVersion").Value!;

    /// <summary>Fetches the package, unless this machine has it.</summary>
    /// <param name="sources">The directory of the solution, for its NuGet configuration.</param>
    /// <param name="artifacts">Where the SDK builds.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The directory of the program.</returns>
    /// <exception cref="DeploymentException">It cannot be had.</exception>
    public static async Task<string> FetchAsync(string sources, string artifacts, CancellationToken cancellationToken)
    {
        BuildProperty.RequireBuildable(sources, artifacts);
        var directory = Directory.CreateDirectory(Path.Combine(artifacts, "dashboard")).FullName;
        var project = Path.Combine(directory, "Dashboard.csproj");
        await File.WriteAllTextAsync(project, Project, cancellationToken);
        var output = await DotnetCommand.RunAsync(Arguments(project, sources), $"fetching {Id} {Version}", cancellationToken);
        return Path.Combine(output.Split('\n')[^1].Trim(), Id.ToLowerInvariant(), Version, "tools");
    }

    /// <summary>The command line that fetches it and tells where packages are.</summary>
    internal static IReadOnlyList<string> Arguments(string project, string sources) =>
        ["msbuild", project, "-restore", "-target:Tell", "-nologo", "-verbosity:minimal", "-property:NuGetAudit=false", BuildProperty.Option("RestoreRootConfigDirectory", sources)];

    private static string Project => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally>
          </PropertyGroup>
          <ItemGroup>
            <PackageDownload Include="{Id}" Version="[{Version}]" />
          </ItemGroup>
          <Target Name="Tell">
            <Message Importance="high" Text="$(NuGetPackageRoot)" />
          </Target>
        </Project>

        """;
}
