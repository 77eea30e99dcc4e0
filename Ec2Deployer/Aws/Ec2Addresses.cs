using System.Globalization;
using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Elastic IP addresses at EC2: which there are, and what becomes of them.</summary>
internal sealed class Ec2Addresses(Ec2Calls calls)
{
    // The attribute that tells a quota; the SDK names two others alone.
    private const string Quota = "vpc-max-elastic-ips";

    // Whoever has put an address on an instance; one of EC2's own pool is Amazon's.
    private const string Pool = "amazon";

    /// <summary>All with the deployment's tag.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<List<Address>> ListAsync(string deployment, CancellationToken cancellationToken) =>
        ListAsync(calls, new Filter($"tag:{LabTags.Deployment}", [deployment]), cancellationToken);

    /// <summary>All that pass a filter; EC2 gives them in one page.</summary>
    public static async Task<List<Address>> ListAsync(Ec2Calls calls, Filter filter, CancellationToken cancellationToken) =>
        (await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeAddressesAsync(new DescribeAddressesRequest { Filters = [filter] }, cancellationToken), cancellationToken)).Addresses ?? [];

    /// <summary>What the planner needs to know of an address.</summary>
    public static ObservedAddress Observed(Address address)
    {
        var tags = (address.Tags ?? []).ToDictionary(tag => tag.Key, tag => tag.Value ?? "");
        return new(address.AllocationId, address.PublicIp, tags.GetValueOrDefault(LabTags.Host, ""))
        {
            InstanceId = string.IsNullOrEmpty(address.InstanceId) ? null : address.InstanceId,
            AssociationId = string.IsNullOrEmpty(address.AssociationId) ? null : address.AssociationId,
            Tags = tags,
        };
    }

    /// <summary>Instances with the addresses that they have.</summary>
    /// <param name="instances">The instances.</param>
    /// <param name="addresses">The deployment's addresses.</param>
    public static IEnumerable<ObservedInstance> With(IEnumerable<ObservedInstance> instances, IReadOnlyCollection<ObservedAddress> addresses) =>
        instances.Select(instance => instance with
        {
            ElasticAddress = addresses.FirstOrDefault(address => address.InstanceId == instance.Id)?.Address,
            ForeignAddress = addresses.Any(address => address.Address == instance.ForeignAddress) ? null : instance.ForeignAddress,
        });

    /// <summary>The address that somebody has put on an instance, or null: it has one of EC2's pool, or none.</summary>
    public static string? Elastic(Instance instance) => (instance.NetworkInterfaces ?? [])
        .Select(network => network.Association)
        .FirstOrDefault(association => association is { IpOwnerId: { Length: > 0 } and not Pool, PublicIp.Length: > 0 })?.PublicIp;

    /// <summary>Sees that the account may have so many addresses more.</summary>
    /// <param name="options">Region.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>What was not checked, for a note; or null.</returns>
    /// <exception cref="DeploymentException">It may not.</exception>
    public async Task<string?> RequireRoomAsync(DeploymentOptions options, int count, CancellationToken cancellationToken)
    {
        try
        {
            var told = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeAccountAttributesAsync(new DescribeAccountAttributesRequest { AttributeNames = [Quota] }, cancellationToken), cancellationToken);
            var value = told.AccountAttributes?.FirstOrDefault(attribute => attribute.AttributeName == Quota)?.AttributeValues?.FirstOrDefault()?.AttributeValue;
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var quota)) return null;
            var all = (await ListAsync(calls, new Filter("domain", ["vpc"]), cancellationToken)).Count;
            if (all + count <= quota) return null;
            throw new DeploymentException(ExitCode.AwsRefused,
                string.Create(CultureInfo.InvariantCulture, $"The account has {all} of the {quota} Elastic IP addresses that it may have in {options.Region}, and {count} more {(count == 1 ? "is" : "are")} needed. Nothing was started. {WayOut(options)}."));
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode is "UnauthorizedOperation" or "AccessDenied")
        {
            return "What ec2:DescribeAccountAttributes tells was not checked, for the account does not allow it: how many Elastic IP addresses there may be.";
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "asking EC2 whether there may be another Elastic IP address", options, "Nothing was started.");
        }
    }

    /// <summary>What to do where the account may have no more.</summary>
    public static string WayOut(DeploymentOptions options) =>
        $"Release one that nobody needs, ask for more under Service Quotas ('EC2-VPC Elastic IPs', L-0263D0A3, in {options.Region}), or take --elastic-ip no";

    /// <summary>Allocates an address, and waits until EC2 lists it.</summary>
    /// <param name="request">With the deployment's and the host's tags.</param>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="host">The host that is to have it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ObservedAddress> AllocateAsync(AllocateAddressRequest request, string deployment, string host, CancellationToken cancellationToken)
    {
        // Another owner may publish a deployment of the same name meanwhile.
        var owner = request.TagSpecifications.SelectMany(tags => tags.Tags).FirstOrDefault(tag => tag.Key == LabTags.Owner)?.Value;
        var before = (await OwnAsync(cancellationToken)).Select(address => address.Id).ToHashSet();
        var lost = false;
        var made = await calls.CallAsync(async (ec2, cancellationToken) =>
        {
            // The call takes no token: what an answer that was lost told of is found by its tags.
            if (lost && await UntilListedAsync(address => !before.Contains(address.Id) && address.Host == host) is { } earlier) return earlier;
            lost = false;
            try
            {
                var answer = await ec2.AllocateAddressAsync(request, cancellationToken);
                return new(answer.AllocationId, answer.PublicIp, host);
            }
            catch (Exception e) when (e is not AmazonEC2Exception { ErrorCode.Length: > 0 })
            {
                lost = true;
                throw;
            }
        }, cancellationToken);
        var listed = await UntilListedAsync(address => address.Id == made.Id) ?? throw new DeploymentException(ExitCode.AwsRefused,
            $"Looking for {made.Address} failed: it was allocated, but EC2 does not list it after {Durations.Text(calls.Pace.Consistency)}. It costs money until 'destroy'. Run the same command again: it goes on where this one stopped.");
        // HTTP itself repeats a request whose connection was closed without an answer. One that is not listed yet goes at the next publish.
        foreach (var other in (await OwnAsync(cancellationToken)).Where(address => address.Host == host && address.Id != listed.Id && !before.Contains(address.Id)))
            await ReleaseAsync(Ec2Requests.Release(other.Id), cancellationToken);
        return listed;

        Task<ObservedAddress?> UntilListedAsync(Func<ObservedAddress, bool> isIt) => calls.UntilAsync(async cancellationToken =>
            (await OwnAsync(cancellationToken)).FirstOrDefault(isIt), calls.Pace.Consistency, cancellationToken);

        async Task<IEnumerable<ObservedAddress>> OwnAsync(CancellationToken cancellationToken) =>
            (await ListAsync(deployment, cancellationToken)).Select(Observed).Where(address => address.Tags.GetValueOrDefault(LabTags.Owner) == owner);
    }

    /// <summary>Puts an address on an instance, as soon as that runs.</summary>
    public async Task AssociateAsync(AssociateAddressRequest request, CancellationToken cancellationToken)
    {
        var began = calls.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await calls.CallAsync((ec2, cancellationToken) => ec2.AssociateAddressAsync(request, cancellationToken), cancellationToken, fresh: true);
                return;
            }
            // "The pending instance … is not in a valid state for this operation."
            catch (AmazonEC2Exception e) when (e.ErrorCode is "InvalidInstanceID" or "IncorrectInstanceState" && calls.Time.GetElapsedTime(began) < calls.Pace.Running)
            {
                await Task.Delay(calls.Pace.Poll, calls.Time, cancellationToken);
            }
        }
    }

    /// <summary>Takes an address off its instance. Harmless where it is on none.</summary>
    public async Task DisassociateAsync(DisassociateAddressRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync((ec2, cancellationToken) => ec2.DisassociateAddressAsync(request, cancellationToken), cancellationToken);
        }
        catch (AmazonEC2Exception e) when (Ec2Errors.IsNotFound(e.ErrorCode))
        {
        }
    }

    /// <summary>Gives an address back, as soon as no instance has it any more. Harmless where it is gone.</summary>
    public async Task ReleaseAsync(ReleaseAddressRequest request, CancellationToken cancellationToken)
    {
        var began = calls.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await calls.CallAsync((ec2, cancellationToken) => ec2.ReleaseAddressAsync(request, cancellationToken), cancellationToken);
                return;
            }
            catch (AmazonEC2Exception e) when (Ec2Errors.IsNotFound(e.ErrorCode))
            {
                return;
            }
            catch (AmazonEC2Exception e) when (e.ErrorCode is "InvalidIPAddress.InUse" && calls.Time.GetElapsedTime(began) < calls.Pace.Ending)
            {
                await Task.Delay(calls.Pace.Poll, calls.Time, cancellationToken);
            }
        }
    }
}
