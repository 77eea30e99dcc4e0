namespace Lab.Ec2Deployer.Aws;

/// <summary>What EC2's error codes say of spot instances: where there is none, the same host can be had on demand.</summary>
internal static class SpotErrors
{
    /// <summary>The price in the zone is above the maximum, or the zone has no spot instance of the type: another zone may have one.</summary>
    public static bool IsOfZone(string? code) => code is "SpotMaxPriceTooLow" || Ec2Errors.IsNoCapacity(code) || Ec2Errors.IsUnsupported(code);

    /// <summary>The account gets no spot instance in any zone: its quota is used up, or it lacks the role that EC2 needs for them.</summary>
    public static bool IsOfAccount(string? code) => code is "MaxSpotInstanceCountExceeded" or ServiceLinkedRole;

    /// <summary>Why there is none, as a part of a sentence.</summary>
    /// <param name="code">EC2's code.</param>
    public static string Why(string? code) => code switch
    {
        "SpotMaxPriceTooLow" => "the price of spot instances is above --spot-price in every zone",
        "MaxSpotInstanceCountExceeded" => "the account's quota of spot instances is used up",
        ServiceLinkedRole => "the account lacks EC2's role for spot instances, which 'aws iam create-service-linked-role --aws-service-name spot.amazonaws.com' makes, once, by whoever administers it",
        _ => "EC2 has no spot instance for it",
    };

    private const string ServiceLinkedRole = "AuthFailure.ServiceLinkedRoleCreationNotPermitted";
}
