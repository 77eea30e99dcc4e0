using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>Finds what is impossible in <see cref="DeploymentOptions"/>. Looks at no file and no network.</summary>
internal static partial class DeploymentOptionsCheck
{
    /// <summary>One sentence for each fault, with the option's name and what would be right; empty where all is well.</summary>
    public static IReadOnlyList<string> Errors(DeploymentOptions options)
    {
        var errors = new List<string>();
        if (!NamePattern().IsMatch(options.Name))
            errors.Add($"--name '{options.Name}' is no name: up to 24 lower case letters, digits and hyphens, a letter first, no hyphen last.");
        else if (options.Name.StartsWith("sg-", StringComparison.Ordinal))
            errors.Add("--name: EC2 refuses security groups whose names begin with sg-.");
        if (options.Owner is { } owner && !IsOwner(owner))
            errors.Add($"--owner '{owner}' is no owner: up to 64 letters, digits and the characters +=,.@_-.");
        errors.AddRange(TagCheck.Errors(options.Tags));
        if (RegionName.Error(options.Region) is { } region) errors.Add(region);
        if (options.Hosts is < 1 or > 50)
            errors.Add($"--hosts {options.Hosts}: from 1 to 50 hosts for workers, two on each.");
        if (options.Orchestrators is not (1 or FleetShape.SeveralOrchestrators))
            errors.Add($"--orchestrators {options.Orchestrators}: 1, or 3, one on each manager of the Swarm.");
        if (options.Orchestrators == FleetShape.SeveralOrchestrators && options.Hosts < 2)
            errors.Add("--orchestrators 3 needs three managers, that is --hosts 2 or more.");
        if (options.Orchestrators == FleetShape.SeveralOrchestrators && options.PostgresFile is null)
            errors.Add("--orchestrators 3 needs --postgres FILE: jobs that outlive a host need a database that is on none of them.");
        if (!TypePattern().IsMatch(options.InstanceType))
            errors.Add($"--instance-type '{options.InstanceType}' is no instance type: such as m7i-flex.large or m5.large.");
        if (options.SpotPrice is { } price && price is <= SpotLaunch.MinPrice or > SpotLaunch.MaxPrice)
            errors.Add($"--spot-price {SpotLaunch.Text(price)}: more than {SpotLaunch.Text(SpotLaunch.MinPrice)}, and at most {SpotLaunch.Text(SpotLaunch.MaxPrice)} US dollars an hour.");
        if (options.ImageId is { } image && !ImagePattern().IsMatch(image))
            errors.Add($"--image '{image}' is no machine image: ami- and 8 or 17 hexadecimal digits.");
        if (!OwnerPattern().IsMatch(options.ImageOwner))
            errors.Add($"--image-owner '{options.ImageOwner}': twelve digits, amazon, self or aws-marketplace.");
        if (options.ImageName is { } name && string.IsNullOrWhiteSpace(name))
            errors.Add("--image-name is empty: a pattern such as debian-12-amd64-*.");
        if (!UserPattern().IsMatch(options.SshUser))
            errors.Add($"--ssh-user '{options.SshUser}' is no user name of Linux.");
        if (options.SshPort is < 1 or > 65535)
            errors.Add($"--ssh-port {options.SshPort}: from 1 to 65535.");
        if (options.SshFrom is { } ssh && Cidr(ssh) is null) errors.Add(NoCidr("--ssh-from", ssh));
        if (options.HttpFrom is { } http && Cidr(http) is null) errors.Add(NoCidr("--http-from", http));
        if (options.Bastion is { } bastion && !options.UsePrivateAddress)
            errors.Add($"--bastion {bastion} leads to private addresses: --private-address no means nothing beside it. Leave out one of the two ('--bastion \"\"' takes it off).");
        if (options.Bastion is not null && options.SshFrom is null)
            errors.Add("--bastion needs --ssh-from: the address, or the block, from which it reaches the hosts, such as 10.0.0.5/32. SSH is open to that alone.");
        if (options.Ttl is { } ttl && (ttl < TimeSpan.FromMinutes(10) || ttl > TimeSpan.FromDays(30)))
            errors.Add($"--ttl {Durations.Text(ttl)}: from 10m to 30d.");
        if (options.DiskGiB is < 8 or > 1024)
            errors.Add($"--disk {options.DiskGiB}: from 8 to 1024 GiB.");
        if (options.ModelDirectory is { } model && Path.GetFileName(Path.TrimEndingDirectorySeparator(model)).Length == 0)
            errors.Add($"--model '{model}': a directory that has a name is asked for, for the model is served under it.");
        errors.AddRange(options.Replace
            .Where(host => host != FleetShape.OrchestratorHost && FleetShape.WorkerHostNumber(host) is not (>= 1 and <= 50))
            .Select(host => $"--replace '{host}' is no host: orchestrator, host-1, host-2, …"));
        if (options.Vpc is { } vpc && !VpcPattern().IsMatch(vpc))
            errors.Add($"--vpc '{vpc}' is no VPC: vpc- and 8 or 17 hexadecimal digits.");
        errors.AddRange(options.Subnets.Where(subnet => !SubnetPattern().IsMatch(subnet))
            .Select(subnet => $"--subnet '{subnet}' is no subnet: subnet- and 8 or 17 hexadecimal digits."));
        if (options.Otlp is { } otlp && (!otlp.IsAbsoluteUri || otlp.Scheme is not ("http" or "https")))
            errors.Add($"--otlp '{otlp}' is no address: such as http://10.0.0.5:4317.");
        if (options.Dashboard && options.Otlp is not null)
            errors.Add("--dashboard yes beside --otlp: telemetry goes to one receiver. Leave out one of the two (--otlp \"\" or --dashboard no).");
        if (options.Dashboard && HostArchitecture.OfType(options.InstanceType) != HostArchitecture.X64)
            errors.Add($"--dashboard yes: its image is made for x86-64 hosts alone, and {options.InstanceType} has Arm processors.");
        return errors;
    }

    /// <summary>Whether it can be the name of an owner: what IAM allows for users and roles' sessions, and EC2 for groups.</summary>
    public static bool IsOwner(string text) => OwnerNamePattern().IsMatch(text);

    /// <summary>The block in EC2's own form, host bits zero (<c>10.1.2.3/8</c> becomes <c>10.0.0.0/8</c>; a bare address gets <c>/32</c>), or null where it is none.</summary>
    public static string? Cidr(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var prefix = 32;
        // IPAddress reads "1" and "0x7f.1" too: four decimal parts are asked for, for what is written opens a door.
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address)
            || address.AddressFamily != AddressFamily.InterNetwork
            || address.ToString() != (slash < 0 ? text : text[..slash])
            || (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out prefix) || prefix > 32)))
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        var bits = ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
        bits &= prefix == 0 ? 0 : uint.MaxValue << (32 - prefix);
        return $"{bits >> 24}.{(bits >> 16) & 255}.{(bits >> 8) & 255}.{bits & 255}/{prefix}";
    }

    private static string NoCidr(string option, string text) =>
        $"{option} '{text}' is no IPv4 block: such as 203.0.113.7/32, or 0.0.0.0/0 for everybody.";

    [GeneratedRegex("^[a-z](?:[a-z0-9-]{0,22}[a-z0-9])?\\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex("^[A-Za-z0-9+=,.@_-]{1,64}\\z")]
    private static partial Regex OwnerNamePattern();

    [GeneratedRegex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+\\z")]
    private static partial Regex TypePattern();

    [GeneratedRegex("^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})\\z")]
    private static partial Regex ImagePattern();

    [GeneratedRegex("^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})\\z")]
    private static partial Regex VpcPattern();

    [GeneratedRegex("^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})\\z")]
    private static partial Regex SubnetPattern();

    [GeneratedRegex("^(?:[0-9]{12}|amazon|self|aws-marketplace)\\z")]
    private static partial Regex OwnerPattern();

    [GeneratedRegex("^[a-z_][a-z0-9_-]{0,31}\\z")]
    private static partial Regex UserPattern();
}
