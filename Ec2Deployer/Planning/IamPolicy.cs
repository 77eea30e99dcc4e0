namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// The least that a caller has to be allowed at EC2, as a policy of IAM. Which resources and condition keys an action
/// knows is said by AWS's Service Authorization Reference for EC2. <c>sts:GetCallerIdentity</c> needs no permission.
/// </summary>
internal static class IamPolicy
{
    private const string Instance = "instance", Volume = "volume", Network = "network-interface", Group = "security-group", Key = "key-pair", Address = "elastic-ip";
    private static readonly string[] Parts = [Instance, Volume, Network, Group, Key, Address];

    /// <summary>Every action, and to what.</summary>
    public static IReadOnlyList<IamGrant> Grants { get; } =
    [
        new("DescribeInstances", IamScope.Any),
        new("DescribeSecurityGroups", IamScope.Any),
        new("DescribeKeyPairs", IamScope.Any),
        new("DescribeVolumes", IamScope.Any),
        new("DescribeAddresses", IamScope.Any),
        new("DescribeAccountAttributes", IamScope.Any),
        new("DescribeVpcs", IamScope.Any),
        new("DescribeSubnets", IamScope.Any),
        new("DescribeRouteTables", IamScope.Any),
        new("DescribeImages", IamScope.Any),
        new("DescribeInstanceTypes", IamScope.Any),
        new("DescribeInstanceTypeOfferings", IamScope.Any),
        new("DescribeRegions", IamScope.Any),
        new("DescribeSpotInstanceRequests", IamScope.Any),
        new("ImportKeyPair", IamScope.Made, Key),
        new("CreateSecurityGroup", IamScope.Made, Group),
        new("CreateSecurityGroup", IamScope.Used, "vpc"),
        new("AllocateAddress", IamScope.Made, Address),
        new("RunInstances", IamScope.Made, Instance, Volume, Network),
        // A launch may be tried, without effect, before its groups exist: EC2 then checks it for the network's default group.
        new("RunInstances", IamScope.Used, "image", "subnet", Group),
        new("RunInstances", IamScope.Tagged, Key),
        new("CreateTags", IamScope.TagsOfMade, Parts),
        new("CreateTags", IamScope.Tagged, Parts),
        new("DeleteTags", IamScope.Tagged, Parts),
        new("AuthorizeSecurityGroupIngress", IamScope.Tagged, Group),
        new("RevokeSecurityGroupIngress", IamScope.Tagged, Group),
        new("GetConsoleOutput", IamScope.Tagged, Instance),
        new("StartInstances", IamScope.Tagged, Instance),
        new("StopInstances", IamScope.Tagged, Instance),
        new("ModifyInstanceAttribute", IamScope.Tagged, Instance, Group),
        new("TerminateInstances", IamScope.Tagged, Instance),
        // Of an instance EC2 may look at its network interface too.
        new("AssociateAddress", IamScope.Tagged, Address, Instance, Network),
        new("DisassociateAddress", IamScope.Tagged, Address, Instance, Network),
        new("ReleaseAddress", IamScope.Tagged, Address),
        new("DeleteVolume", IamScope.Tagged, Volume),
        new("DeleteSecurityGroup", IamScope.Tagged, Group),
        new("DeleteKeyPair", IamScope.Tagged, Key),
    ];

    /// <summary>The document, with IAM's own names for its fields.</summary>
    /// <param name="deployment">The only deployment that may be touched, or null: every one with the deployer's tag.</param>
    /// <param name="region">Says in which partition of AWS it is to hold.</param>
    /// <param name="grants">What is allowed.</param>
    public static Dictionary<string, object> Document(string? deployment, string region, IEnumerable<IamGrant> grants) => new()
    {
        ["Version"] = "2012-10-17",
        ["Statement"] = grants.GroupBy(grant => (grant.Scope, Resources: string.Join(' ', grant.Resources)))
            .Select(same => Statement(same.Key.Scope, [.. same.Select(grant => $"ec2:{grant.Action}")], same.First().Resources, deployment, Partition(region)))
            .ToList(),
    };

    private static Dictionary<string, object> Statement(IamScope scope, string[] actions, IReadOnlyList<string> resources, string? deployment, string partition)
    {
        var statement = new Dictionary<string, object>
        {
            ["Effect"] = "Allow",
            ["Action"] = actions,
            // Images belong to no account of their own.
            ["Resource"] = scope == IamScope.Any ? "*" : resources.Select(resource => $"arn:{partition}:ec2:*:{(resource == "image" ? "" : "*")}:{resource}/*").ToList(),
        };
        var made = Grants.Where(grant => grant.Scope == IamScope.Made).Select(grant => grant.Action).ToList();
        if (scope is IamScope.Made or IamScope.TagsOfMade) statement["Condition"] = Condition("aws:RequestTag");
        if (scope is IamScope.Tagged) statement["Condition"] = Condition("aws:ResourceTag");
        return statement;

        Dictionary<string, object> Condition(string key)
        {
            var condition = new Dictionary<string, object>
            {
                [deployment is null ? "StringLike" : "StringEquals"] = new Dictionary<string, object> { [$"{key}/{LabTags.Deployment}"] = deployment ?? "*" },
            };
            if (scope != IamScope.TagsOfMade) return condition;
            var equals = condition.TryGetValue("StringEquals", out var there) ? (Dictionary<string, object>)there : [];
            equals["ec2:CreateAction"] = made;
            condition["StringEquals"] = equals;
            return condition;
        }
    }

    private static string Partition(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";
}

/// <summary>An action that is allowed.</summary>
/// <param name="Action">EC2's name of it.</param>
/// <param name="Scope">To what it is narrowed.</param>
/// <param name="Resources">The types of resources that EC2 checks it for; none for <see cref="IamScope.Any"/>.</param>
internal sealed record IamGrant(string Action, IamScope Scope, params IReadOnlyList<string> Resources);

/// <summary>To what an action is narrowed.</summary>
internal enum IamScope
{
    /// <summary>It describes, and EC2 cannot narrow it.</summary>
    Any,

    /// <summary>What it makes is given the deployment's tag.</summary>
    Made,

    /// <summary>It gives something its tags while that is made.</summary>
    TagsOfMade,

    /// <summary>What it changes or uses bears the deployment's tag.</summary>
    Tagged,

    /// <summary>What it uses is not the deployer's: images, the network.</summary>
    Used,
}
