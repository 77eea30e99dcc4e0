using System.Text;
using System.Text.RegularExpressions;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Values on MSBuild's command line, where some characters have a meaning of their own.</summary>
internal static partial class BuildProperty
{
    // MSBuild's documentation, "Special characters", and what its command line does to quotes, separators and reserved words.
    private const string Special = "%$@'\";,?*()";

    /// <summary>An option that sets a property to exactly this text.</summary>
    public static string Option(string name, string value) => $"-p:{name}={Escape(value)}";

    /// <summary>The text as MSBuild has to be given it, so that nothing in it separates, names or matches anything.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var character in text)
        {
            if (Special.Contains(character, StringComparison.Ordinal)) escaped.Append('%').Append(Convert.ToHexStringLower([(byte)character]));
            else escaped.Append(character);
        }

        return escaped.ToString();
    }

    /// <summary>One of the compiler's mappings of paths, in which a comma or an equals sign of the path itself is written twice.</summary>
    public static string PathMapping(string path, string name) =>
        $"{Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)).Replace(",", ",,", StringComparison.Ordinal).Replace("=", "==", StringComparison.Ordinal)}={name}";

    /// <summary>Refuses directories in which nothing can be built, however their names are written.</summary>
    /// <param name="sources">The solution's directory.</param>
    /// <param name="artifacts">Where the SDK builds.</param>
    /// <exception cref="DeploymentException">The SDK takes something in a path for what it is not.</exception>
    public static void RequireBuildable(string sources, string artifacts)
    {
        if (NotInSources().Match(sources) is { Success: true } inSources) throw Failure(sources, inSources.Value, "Move the clone to another directory");
        if (NotInArtifacts().Match(artifacts) is { Success: true } inArtifacts) throw Failure(artifacts, inArtifacts.Value, "Set XDG_CONFIG_HOME to another directory");

        static DeploymentException Failure(string path, string what, string advice) => new(ExitCode.Failed,
            $"The images cannot be built in {path}: the .NET SDK does not take '{what}' in the name of a directory for what it is. Nothing was changed. {advice}, and run the command again.");
    }

    [GeneratedRegex("%[0-9A-Fa-f]{2}|\"")]
    private static partial Regex NotInSources();

    [GeneratedRegex(@"%[0-9A-Fa-f]{2}|""|[;*?]|[@$]\(")]
    private static partial Regex NotInArtifacts();
}
