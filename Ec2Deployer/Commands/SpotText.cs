using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Spot instances for people.</summary>
internal static class SpotText
{
    /// <summary>An instance's type, and that it is on spot.</summary>
    public static string Type(string type, bool isSpot) => isSpot ? $"{type}, spot" : type;

    /// <summary>What is wrong with a host that EC2 takes back.</summary>
    public const string TakenBack = "EC2 takes this spot instance back within two minutes: its workers finish what they compute and take no more; 'publish' puts another in its place";

    /// <summary>What has become of a host that is not there.</summary>
    /// <param name="host">Its name.</param>
    /// <param name="observed">What EC2 shows.</param>
    public static string Gone(string host, ObservedDeployment observed) =>
        $"gone{(observed.Reclaimed.Contains(host) ? ", for EC2 has taken its spot instance back" : "")}: 'publish' puts another in its place";

    /// <summary>Hosts that there are to be and that do not exist, as one sentence, or null: all do.</summary>
    /// <param name="context">The command.</param>
    /// <param name="found">What there is.</param>
    /// <param name="size">How many worker hosts there are to be.</param>
    public static string? Missing(CommandContext context, DeploymentSnapshot found, int size)
    {
        var missing = FleetShape.Hosts(size).Where(host => found.Instances.All(instance => instance.Host != host)).ToList();
        return missing.Count == 0 ? null : $"{string.Join(", ", missing)} {(missing.Count == 1 ? "is" : "are")} not there: 'publish{ReportText.Named(context)}' starts {(missing.Count == 1 ? "it" : "them")} anew.";
    }
}
