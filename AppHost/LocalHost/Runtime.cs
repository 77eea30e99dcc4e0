using System.Reflection;
using System.Runtime.InteropServices;

namespace Lab.AppHost.LocalHost;

/// <summary>The .NET installation that runs the AppHost, which also runs everything the AppHost starts.</summary>
internal static class Runtime
{
    /// <summary>The path of the <c>dotnet</c> executable, or its bare name where that is not to be found.</summary>
    public static string Dotnet { get; } = FindDotnet();

    /// <summary>The assembly of the running AppHost.</summary>
    public static string AppHost { get; } = Assembly.GetEntryAssembly()!.Location;

    private static string FindDotnet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // …/shared/Microsoft.NETCore.App/10.0.x/ is three levels below it.
        var path = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(path) ? path : name;
    }
}
