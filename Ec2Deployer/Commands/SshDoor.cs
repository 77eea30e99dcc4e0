using System.Net;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>To whom the hosts' security groups open SSH.</summary>
internal static class SshDoor
{
    /// <summary>The address blocks.</summary>
    /// <param name="observed">What EC2 shows.</param>
    /// <param name="port">The SSH server's port.</param>
    public static IReadOnlyList<string> Sources(ObservedDeployment observed, int port) =>
        [.. observed.Groups.SelectMany(group => group.Rules)
            .Where(rule => rule.Protocol is "tcp" or "-1" && (rule.FromPort < 0 || (rule.FromPort <= port && port <= rule.ToPort)) && !rule.SourceIsGroup)
            .Select(rule => rule.Source).Distinct()];

    /// <summary>Why a host does not answer, as far as it is the door: one or two sentences.</summary>
    /// <param name="caller">This machine's public address.</param>
    /// <param name="sources">To whom SSH is open.</param>
    /// <param name="asked">To whom it is to be open, or null: to whoever publishes.</param>
    public static string Explain(string caller, IReadOnlyList<string> sources, string? asked)
    {
        var open = $"SSH is open to {string.Join(", ", sources.DefaultIfEmpty("nobody"))}";
        return IPAddress.TryParse(caller, out var address) && sources.Any(source => IPNetwork.TryParse(source, out var block) && block.Contains(address))
            ? $"{open}, and this machine comes from {caller}, so the security group lets it in: look for a firewall, a proxy or a VPN on the way, and whether the machine is well."
            : $"{open}, and this machine comes from {caller}, which is not among them: {(asked is null ? "'publish' opens it to this machine" : $"'publish --ssh-from {caller}/32' opens it to this machine instead of {asked}")}.";
    }
}
