using System.Reflection;
using System.Text.RegularExpressions;

namespace Lab.ServiceDefaults.Tests.Floors;

/// <summary>Variables of the environment that READMEs and log messages name can be exported by a shell.</summary>
public sealed partial class VariableNamesTests
{
    private static string Solution { get; } = typeof(VariableNamesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "SolutionDirectory").Value!;

    [Fact]
    public void Variables_InReadmesAndMessages_AreNamesToAShell()
    {
        var texts = Directory.EnumerateFiles(Solution, "README.md", SearchOption.AllDirectories).SelectMany(file => File.ReadLines(file))
            .Concat(Directory.EnumerateFiles(Solution, "*.cs", SearchOption.AllDirectories).SelectMany(file => File.ReadLines(file)).Where(line => line.Contains("[LoggerMessage(", StringComparison.Ordinal)));
        var names = texts.SelectMany(text => Variable().Matches(text)).Select(name => name.Value).Distinct().ToList();
        Assert.Contains("Workers__worker_1", names);
        // POSIX.1, Base Definitions, 3.216: Name. What stands in angle brackets is the reader's.
        Assert.All(names, name => Assert.Matches("^[A-Za-z_][A-Za-z0-9_]*(<[a-z]+>)?$", name));
    }

    [GeneratedRegex(@"(?<![\w-])[A-Za-z][A-Za-z0-9]*__[A-Za-z0-9][^\s=`|,;)""]*")]
    private static partial Regex Variable();
}
