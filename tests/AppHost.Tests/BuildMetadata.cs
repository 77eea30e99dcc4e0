using System.Reflection;

namespace Lab.AppHost.Tests;

/// <summary>What the build has put into this assembly.</summary>
internal static class BuildMetadata
{
    /// <summary>The value under a name.</summary>
    public static string Of(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
