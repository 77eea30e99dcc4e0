using System.Text.Json;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A node as the managers see it.</summary>
/// <param name="Id">Its name in the Swarm's own words.</param>
/// <param name="Hostname">The host's name.</param>
/// <param name="IsReady">Whether the managers hear from it.</param>
/// <param name="IsActive">Whether it takes tasks: neither drained nor paused.</param>
/// <param name="IsManager">Whether it is to be a manager.</param>
/// <param name="Manager"><c>leader</c>, <c>reachable</c>, <c>unreachable</c>, or null for no manager.</param>
/// <param name="Role">The label <c>role</c>, or null.</param>
internal sealed record SwarmNode(string Id, string Hostname, bool IsReady, bool IsActive, bool IsManager, string? Manager, string? Role)
{
    /// <summary>Reads what <c>docker node inspect</c> writes.</summary>
    public static IReadOnlyList<SwarmNode> Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(node =>
        {
            var spec = node.GetProperty("Spec");
            string? manager = null;
            if (node.TryGetProperty("ManagerStatus", out var status))
            {
                manager = status.TryGetProperty("Leader", out var leader) && leader.GetBoolean() ? "leader"
                    : status.GetProperty("Reachability").GetString();
            }

            return new SwarmNode(
                node.GetProperty("ID").GetString()!,
                node.GetProperty("Description").GetProperty(nameof(Hostname)).GetString()!,
                node.GetProperty("Status").GetProperty("State").GetString() is "ready",
                spec.GetProperty("Availability").GetString() is "active",
                spec.GetProperty(nameof(Role)).GetString() is "manager",
                manager,
                spec.TryGetProperty("Labels", out var labels) && labels.TryGetProperty("role", out var role) ? role.GetString() : null);
        })];
    }
}
