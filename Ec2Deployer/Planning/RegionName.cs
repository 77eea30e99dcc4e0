using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>Names of AWS regions, those of every partition and of the future included.</summary>
internal static partial class RegionName
{
    /// <summary>One sentence on what is wrong with a name; null where it may be a region's.</summary>
    public static string? Error(string name)
    {
        if (Whole().IsMatch(name)) return null;
        var start = Start().Match(name);
        return start.Success
            ? $"--region '{name}' is a zone, or no name at all: a region ends with its digit, as {start.Value} does. Zones are chosen by this program."
            : $"--region '{name}' is no region: such as us-east-1 or eu-central-1.";
    }

    // us-east-1, us-gov-west-1, eu-isoe-west-1, eusc-de-east-1
    [GeneratedRegex("^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}\\z")]
    private static partial Regex Whole();

    [GeneratedRegex("^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}(?=[a-z-])")]
    private static partial Regex Start();
}
