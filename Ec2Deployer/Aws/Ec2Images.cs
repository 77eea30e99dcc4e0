using System.Globalization;
using Amazon;
using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Finds the machine image of new hosts. Changes nothing.</summary>
internal sealed class Ec2Images(Ec2Calls calls)
{
    /// <summary>The image that is asked for, else that of the other hosts, else the newest that fits.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="architecture">The processors of new hosts.</param>
    /// <param name="instances">The hosts that there are.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="DeploymentException">None fits.</exception>
    public async Task<MachineImage> FindAsync(DeploymentOptions options, HostArchitecture architecture, IReadOnlyList<ObservedInstance> instances, CancellationToken cancellationToken)
    {
        if (options.ImageId is { } asked) return Newest(await ByIdAsync(asked))!;

        // New hosts get the image of the old ones, for "newest" is another next month; unless its owner has withdrawn it.
        var tagged = instances.Select(instance => instance.Tags.GetValueOrDefault(LabTags.Image)).FirstOrDefault(image => image is not null);
        if (tagged is not null)
        {
            try
            {
                if (Newest(await ByIdAsync(tagged)) is { } same && (same.Architecture ?? architecture.Ec2) == architecture.Ec2) return same;
            }
            catch (AmazonEC2Exception e) when (e.ErrorCode is "InvalidAMIID.NotFound" or "InvalidAMIID.Unavailable")
            {
            }
        }

        var name = options.ImageNameFor(architecture);
        var images = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeImagesAsync(new DescribeImagesRequest
        {
            Owners = [options.ImageOwner],
            Filters = [new Filter("name", [name]), new Filter("state", ["available"]), new Filter("architecture", [architecture.Ec2]), new Filter("root-device-type", ["ebs"])],
        }, cancellationToken), cancellationToken);
        return Newest(images) ?? throw new DeploymentException(ExitCode.AwsRefused,
            $"Looking for a machine image failed: {options.Region} has none named {name} of owner {options.ImageOwner} for {architecture.Ec2}. {OfOtherPartition(options.Region)}Nothing was changed. Give --image ami-…, or another --image-name and --image-owner.");

        Task<DescribeImagesResponse> ByIdAsync(string id) =>
            calls.CallAsync((ec2, cancellationToken) => ec2.DescribeImagesAsync(new DescribeImagesRequest { ImageIds = [id] }, cancellationToken), cancellationToken);
    }

    // Accounts end at the border of a partition.
    private static string OfOtherPartition(string region) => RegionEndpoint.GetBySystemName(region).PartitionName is var partition && partition is "aws"
        ? ""
        : $"In the partition {partition} Debian has another account, or none. ";

    private static MachineImage? Newest(DescribeImagesResponse response)
    {
        var newest = (response.Images ?? []).MaxBy(image => DateTimeOffset.Parse(image.CreationDate, CultureInfo.InvariantCulture));
        if (newest is null) return null;
        var root = newest.BlockDeviceMappings?.FirstOrDefault(mapping => mapping.DeviceName == newest.RootDeviceName)?.Ebs?.VolumeSize ?? 8;
        return new MachineImage(newest.ImageId, newest.Name ?? "", newest.RootDeviceName, root) { Architecture = newest.Architecture?.Value };
    }
}
