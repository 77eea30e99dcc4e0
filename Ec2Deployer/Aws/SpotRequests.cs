using Amazon.EC2;
using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Asks EC2 which spot instances it takes back, and reads which it has taken. Changes nothing.</summary>
internal sealed class SpotRequests(Ec2Calls calls)
{
    /// <summary>Whether it is a spot instance that runs, or is about to.</summary>
    public static bool IsRunning(Instance instance) => instance.InstanceLifecycle == InstanceLifecycleType.Spot && instance.State.Name.Value is "pending" or "running";

    /// <summary>Whether EC2 has ended it to have its capacity back.</summary>
    public static bool IsReclaimed(Instance instance) => instance.StateReason?.Code == "Server.SpotInstanceTermination";

    /// <summary>
    /// Identifiers of those that EC2 has given notice of: the status of the request says so while the instance still runs
    /// (EC2 User Guide, "Spot Instance request status"). None where the account may not ask, for their workers know all the same.
    /// </summary>
    /// <param name="instances">Any instances; where none is a spot instance that runs, nobody is asked.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task<HashSet<string>> TakenBackAsync(IEnumerable<Instance> instances, CancellationToken cancellationToken)
    {
        var ids = instances.Where(IsRunning).Select(instance => instance.InstanceId).ToList();
        if (ids.Count == 0) return [];
        try
        {
            var requests = await Ec2Calls.AllAsync<SpotInstanceRequest>(async (token, cancellationToken) =>
            {
                var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeSpotInstanceRequestsAsync(
                    new DescribeSpotInstanceRequestsRequest { Filters = [new Filter("instance-id", ids)], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
                return (page.SpotInstanceRequests, page.NextToken);
            }, cancellationToken);
            return [.. requests.Where(request => IsNotice(request.Status?.Code)).Select(request => request.InstanceId)];
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode is "UnauthorizedOperation" or "AccessDenied")
        {
            return [];
        }
    }

    private static bool IsNotice(string? status) => status is not null
        && (status.StartsWith("marked-for-", StringComparison.Ordinal) || status.StartsWith("instance-terminated-", StringComparison.Ordinal));
}
