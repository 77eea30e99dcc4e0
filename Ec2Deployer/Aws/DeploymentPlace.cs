namespace Lab.Ec2Deployer.Aws;

/// <summary>Where a deployment is: nowhere else may it be looked for, changed or forgotten.</summary>
/// <param name="Region">The region, such as <c>us-east-1</c>.</param>
/// <param name="Account">Twelve digits, or null where nobody could say.</param>
/// <param name="Endpoint">The address of a stand-in for EC2, or null: AWS's own.</param>
internal sealed record DeploymentPlace(string Region, string? Account, string? Endpoint)
{
    /// <summary>For people: <c>us-east-1 (account 123456789012)</c>.</summary>
    public override string ToString()
    {
        var details = string.Join(", ", new[] { Account is null ? null : $"account {Account}", Endpoint is null ? null : $"at {Endpoint}" }.Where(detail => detail is not null));
        return details.Length == 0 ? Region : $"{Region} ({details})";
    }
}
