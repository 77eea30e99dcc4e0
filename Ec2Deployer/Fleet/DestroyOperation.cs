using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>destroy</c>: removes everything at EC2, and once it is seen to be gone what this machine keeps.</summary>
/// <param name="deployment">The deployment at EC2.</param>
/// <param name="directory">What this machine keeps.</param>
internal sealed class DestroyOperation(Ec2Deployment deployment, DeploymentDirectory directory)
{
    /// <summary>What <see cref="RunAsync"/> would remove at EC2.</summary>
    public Task<Belongings> ListAsync(DeploymentOptions options, CancellationToken cancellationToken) => deployment.BelongingsAsync(options, cancellationToken);

    /// <summary>Removes it all; here only the audit log stays.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or something was still there when the time was up; nothing is forgotten then.</exception>
    public async Task RunAsync(DeploymentOptions options, Belongings belongings, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (!belongings.IsNothing) await deployment.RemoveAsync(options, belongings, progress, cancellationToken);
        directory.Forget();
    }
}
