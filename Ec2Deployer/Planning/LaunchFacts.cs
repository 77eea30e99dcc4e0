using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>What EC2 tells before a launch about the instance type, and about what the account runs already.</summary>
internal sealed partial record LaunchFacts
{
    /// <summary>The type, or null where EC2 was not allowed to say.</summary>
    public TypeFacts? Type { get; init; }

    /// <summary>Virtual processors of the account's running instances of the Standard families in the region, on demand; null where unknown.</summary>
    public int? RunningVcpus { get; init; }

    /// <summary>Read actions that the account does not allow, so that nothing was checked by them.</summary>
    public IReadOnlyList<string> Refused { get; init; } = [];

    /// <summary>Subnets that new hosts are kept out of, and why.</summary>
    public IReadOnlyList<string> Avoided { get; init; } = [];

    /// <summary>What the user should know before hosts are started, one sentence each.</summary>
    /// <param name="options">Type and region.</param>
    /// <param name="launches">How many hosts are started on demand.</param>
    /// <param name="spot">How many are asked for on spot.</param>
    public IEnumerable<string> Notes(DeploymentOptions options, int launches, int spot = 0)
    {
        foreach (var avoided in Avoided) yield return avoided;
        if (Type is { } type)
        {
            if (!type.FreePlan)
                yield return $"{type.Name} is not open to accounts on AWS's free plan, which may start {DeploymentOptions.DefaultInstanceType}, t3.small or t3.micro among others.";
            if (spot > 0) yield return string.Create(CultureInfo.InvariantCulture, $"Spot instances need {spot * type.Vcpus} vCPUs of {SpotQuotaOf(type.Name)} in {options.Region}; where it allows fewer, hosts are started on demand.");
            var needed = launches * type.Vcpus;
            if (needed == 0)
            {
                // All are on spot.
            }
            else if (IsStandard(type.Name) && RunningVcpus is { } running)
            {
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"New hosts need {needed} vCPUs; the account runs {running} on demand in {options.Region}: its quota {QuotaOf(type.Name)} must allow {needed + running}. What it allows, EC2 does not tell: {HowToLook(options)}.");
            }
            else
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"New hosts need {needed} vCPUs, with those that run, of the account's quota {QuotaOf(type.Name)} in {options.Region}. What it allows, EC2 does not tell: {HowToLook(options)}.");
            }
        }
        else
        {
            yield return Unasked(options);
        }

        foreach (var action in Refused) yield return $"What ec2:{action} tells was not checked, for the account does not allow it.";
    }

    /// <summary>What is said of the quota where EC2 was not asked for the type's processors.</summary>
    public static string Unasked(DeploymentOptions options) =>
        $"The vCPUs of new hosts count against the account's quota {QuotaOf(options.InstanceType)} in {options.Region}. What it allows, EC2 does not tell: {HowToLook(options)}.";

    /// <summary>The quota of running processors that a type counts against, by the name that Service Quotas gives it.</summary>
    public static string QuotaOf(string type) => IsStandard(type)
        ? "'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances' (L-1216C47A)"
        : $"'Running On-Demand … instances' of the family of {type}";

    /// <summary>The quota of spot instances that a type counts against, by the name that Service Quotas gives it.</summary>
    public static string SpotQuotaOf(string type) => IsStandard(type)
        ? "a quota of their own, 'All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests' (L-34B43A08),"
        : $"a quota of their own, 'All … Spot Instance Requests' of the family of {type},";

    /// <summary>
    /// How somebody looks what a quota allows. EC2's own max-instances "does not reflect your actual vCPU limit"
    /// (API reference, DescribeAccountAttributes), so that it is not asked.
    /// </summary>
    public static string HowToLook(DeploymentOptions options) => IsStandard(options.InstanceType)
        ? $"'aws service-quotas get-service-quota --service-code ec2 --quota-code L-1216C47A --region {options.Region}' does, as Service Quotas in the AWS console"
        : $"'aws service-quotas list-service-quotas --service-code ec2 --region {options.Region}' does, as Service Quotas in the AWS console";

    /// <summary>Whether a type counts against the quota of the Standard families.</summary>
    public static bool IsStandard(string type) => StandardPattern().IsMatch(type);

    [GeneratedRegex("^(?:a|c|d|h|i|im|is|m|r|t|z)[0-9]")]
    private static partial Regex StandardPattern();
}

/// <summary>What EC2 says of an instance type.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Vcpus">Its virtual processors.</param>
/// <param name="FreePlan">Whether accounts on the free plan may start it.</param>
internal sealed record TypeFacts(string Name, int Vcpus, bool FreePlan)
{
    /// <summary>Its processors' architecture.</summary>
    public HostArchitecture Architecture { get; init; } = HostArchitecture.X64;
}
