using Lab.Ec2Deployer.Aws;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>How the stand-in behaves. May be changed while it runs.</summary>
internal sealed class StandInOptions
{
    /// <summary>The one image for Arm.</summary>
    public const string ArmImage = "ami-00000000000000003";

    /// <summary>For so many calls something new is not found.</summary>
    public int Lag { get; set; } = 3;

    /// <summary>Every so many calls are refused as too many; 0: none.</summary>
    public int ThrottleEvery { get; set; }

    /// <summary>Items of a page, whatever is asked for.</summary>
    public int PageSize { get; set; } = 2;

    /// <summary>The network interface of an ended instance holds on to its groups for so many calls.</summary>
    public int InterfaceLag { get; set; } = 4;

    /// <summary>The console is empty at the first so many looks at it.</summary>
    public int EmptyConsoleReads { get; set; } = 1;

    /// <summary>Older types refuse <c>Latest</c>.</summary>
    public bool Xen { get; set; } = true;

    /// <summary>How many Elastic IP addresses the account may have.</summary>
    public int AddressQuota { get; set; } = 5;

    /// <summary>Who the caller is, or null: there is no STS here.</summary>
    public CallerIdentity? Identity { get; set; } = new("123456789012", "arn:aws:iam::123456789012:user/ana");

    /// <summary>The owner of everything.</summary>
    public string Account { get; set; } = "123456789012";

    /// <summary>Regions that are enabled.</summary>
    public List<string> Regions { get; } = ["us-east-1"];

    /// <summary>Zones without capacity.</summary>
    public HashSet<string> NoCapacity { get; } = [];

    /// <summary>Zones without spot capacity.</summary>
    public HashSet<string> NoSpotCapacity { get; } = [];

    /// <summary>What a spot instance costs an hour in each zone that is not cheaper than all maximum prices.</summary>
    public Dictionary<string, decimal> SpotPrices { get; } = [];

    /// <summary>How many spot instances the account may run.</summary>
    public int SpotLimit { get; set; } = 20;

    /// <summary>Whether the account has the role that EC2 needs for spot instances, or the caller may make it.</summary>
    public bool HasSpotRole { get; set; } = true;

    /// <summary>Actions that the caller may not perform.</summary>
    public HashSet<string> Denied { get; } = [];

    /// <summary>What the caller may, as a policy of IAM; null: everything.</summary>
    public string? Policy { get; set; }

    /// <summary>Zones that do not offer the instance type.</summary>
    public HashSet<string> NotOffered { get; } = ["us-east-1e"];

    /// <summary>Zones that offer the instance type and refuse to start it all the same.</summary>
    public HashSet<string> Unsupported { get; } = [];

    /// <summary>How far its clock is ahead of this machine's.</summary>
    public TimeSpan Clock { get; set; }

    /// <summary>Asked before each call: an answer is the error it gets.</summary>
    public Func<string, Ec2Fault?>? Fault { get; set; }

    /// <summary>Told after each mutating call has taken effect and before it is answered; true: the answer never arrives.</summary>
    public Func<string, bool>? LoseAnswer { get; set; }

    /// <summary>Asked before each request with <c>DryRun</c>: an answer is the error it gets; null: it would be obeyed.</summary>
    public Func<string, Ec2Fault?>? DryRunFault { get; set; }

    /// <summary>Where the main route table leads everything that is not in the VPC, such as <c>igw-1</c> or <c>nat-1</c>; null: nowhere.</summary>
    public string? MainRoute { get; set; } = "igw-1";

    /// <summary>The same for subnets with a route table of their own.</summary>
    public Dictionary<string, string?> Routes { get; } = [];

    /// <summary>Subnets of other VPCs than the default one; their VPCs' main route tables have no way out.</summary>
    public List<StandInSubnet> Subnets { get; } = [];

    /// <summary>The types that are offered.</summary>
    public List<StandInType> Types { get; } = [new("m7i-flex.large", FreePlan: true), new("m5.large"), new("m4.large"), new("c6i.large"), new("c8g.large", Architecture: "arm64"), new("m8z.large", Architecture: "arm64")];

    public List<StandInImage> Images { get; } =
    [
        new("ami-00000000000000001", "debian-12-amd64-20260101-1234", "136693071363", "2026-01-01T00:00:00.000Z"),
        new("ami-00000000000000002", "debian-12-amd64-20260901-2345", "136693071363", "2026-09-01T00:00:00.000Z"),
        new(ArmImage, "debian-12-arm64-20260902-2345", "136693071363", "2026-09-02T00:00:00.000Z", Architecture: "arm64"),
        new("ami-00000000000000004", "debian-12-amd64-20261001-0000", "999999999999", "2026-10-01T00:00:00.000Z"),
    ];
}
