using Amazon.EC2;
using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Which account EC2 answers for, where STS cannot be asked.</summary>
internal static class Ec2Account
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The owner of a default security group, which every account has, or null where EC2 does not say.</summary>
    public static async Task<string?> OwnerAsync(IAmazonEC2 ec2, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var answer = await ec2.DescribeSecurityGroupsAsync(
                new DescribeSecurityGroupsRequest { Filters = [new Filter("group-name", ["default"])], MaxResults = 5 }, both.Token);
            return answer.SecurityGroups?.FirstOrDefault()?.OwnerId;
        }
        catch (Exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Whatever is wrong, the call that matters meets it too, and tells.
            return null;
        }
    }
}
