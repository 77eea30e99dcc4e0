using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>destroy</c>: removes everything at EC2, and once it is seen to be gone what this machine keeps.</summary>
/// <param name="deployment">The deployment at EC2.</param>
/// <param name="directory">What this machine keeps.</param>
/// <param name="isItsPlace">Whether this is for certain the account, region and endpoint in which it was published.</param>
internal sealed class DestroyOperation(Ec2Deployment deployment, DeploymentDirectory directory, bool isItsPlace = false)
{
    /// <summary>What <see cref="RunAsync"/> would remove at EC2.</summary>
    public Task<Belongings> ListAsync(DeploymentOptions options, CancellationToken cancellationToken, IProgressSink? progress = null) =>
        deployment.BelongingsAsync(options, cancellationToken, progress);

    /// <summary>The hosts that this machine knows, where EC2 shows a deployment of that name that is for certain another: with other hosts and another key. Else null.</summary>
    public IReadOnlyList<string>? HostsElsewhere(Belongings belongings)
    {
        var known = directory.ReadState().HostKeys.Keys;
        // Of a torn state no host is known; what runs elsewhere with another key is another's all the same.
        return belongings.PublicKey is null || OwnKey() is null || Doubt(belongings) is null || (known.Count == 0 && belongings.Instances.Count == 0) ? null : [.. known];
    }

    /// <summary>Removes it all; here only the audit log stays.</summary>
    /// <returns>Why what this machine keeps was not forgotten, or null: it was.</returns>
    /// <exception cref="DeploymentException">EC2 refused, or something was still there when the time was up; nothing is forgotten then.</exception>
    public async Task<string?> RunAsync(DeploymentOptions options, Belongings belongings, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (!belongings.IsNothing) await deployment.RemoveAsync(options, belongings, progress, cancellationToken);
        if (Doubt(belongings) is { } doubt) return doubt;
        directory.Forget();
        return null;
    }

    // Nothing found is proof only in the right place. That is the remembered one, or where a host or the key of ours was seen.
    private string? Doubt(Belongings belongings)
    {
        if (isItsPlace || directory.IsEmpty) return null;
        var state = directory.ReadState();
        if (belongings.Seen.Any(instance => state.HostKeys.ContainsKey(instance.Id))) return null;
        if (belongings.PublicKey is { } key && key == OwnKey()) return null;
        if (state.HostKeys.Count > 0) return $"this machine knows {string.Join(", ", state.HostKeys.Keys)}, and EC2 does not show them here";
        if (state.Launching.Count > 0) return $"{string.Join(", ", state.Launching.Keys)} may have been started, and EC2 does not show them here";
        return state.Options.Count > 0 ? null : "where its hosts are is not known on this machine";
    }

    private string? OwnKey()
    {
        try
        {
            return DeploymentKey.PublicKey(directory);
        }
        catch (DeploymentException)
        {
            return null;
        }
    }
}
