using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Compares where a deployment is with where a command would look for it: elsewhere it would find nothing, and take that for the truth.</summary>
/// <param name="options">Name and region of this command.</param>
/// <param name="directory">What this machine keeps.</param>
/// <param name="state">What is remembered.</param>
internal sealed class PlaceCheck(DeploymentOptions options, DeploymentDirectory directory, DeploymentState state)
{
    // States of older versions hold the region alone.
    private readonly DeploymentPlace? _place = state.Place ?? (state.Options.GetValueOrDefault(Settings.Region.Name) is { } region ? new DeploymentPlace(region, null, null) : null);

    /// <summary>The endpoint of this command: the one given, else where the deployment is.</summary>
    /// <param name="given">By option or by the environment, or null.</param>
    /// <exception cref="DeploymentException">The deployment is in another region, or at another endpoint.</exception>
    public Uri? Require(Uri? given)
    {
        if (_place is null) return given;
        if (_place.Region != options.Region)
            throw Elsewhere($"not in {options.Region}", $"Leave out --region, take another --name for one in {options.Region}, or 'destroy' that of {_place.Region} first");
        var remembered = _place.Endpoint is { } address ? new Uri(address) : null;
        if (given is not null && state.Place is not null && given != remembered)
            throw Elsewhere($"not at {given}", $"Leave out {Settings.Endpoint.Name} (and AWS_ENDPOINT_URL), or take another --name. {Lost}");
        return given ?? remembered;
    }

    /// <summary>Sees that the account is the remembered one, where both are known.</summary>
    /// <param name="account">The caller's, or null where nobody could say.</param>
    /// <exception cref="DeploymentException">It is another.</exception>
    public void RequireAccount(string? account)
    {
        if (account is null || _place?.Account is not { } remembered || remembered == account) return;
        throw new DeploymentException(ExitCode.AwsRefused,
            $"The deployment '{options.Name}' is in {_place}, and these credentials are those of account {account}. Nothing was changed. Set AWS_PROFILE, or the keys in the environment, to those of account {remembered}, or take another --name. {Lost}");
    }

    /// <summary>Whether this is for certain the place in which the deployment was published.</summary>
    public bool IsKnown(string? account) => account is not null && _place?.Account == account;

    private string Lost => $"If nothing of it exists any more, delete {directory.Path}.";

    private DeploymentException Elsewhere(string where, string advice) =>
        new(ExitCode.Usage, $"The deployment '{options.Name}' is in {_place}, {where}. Nothing was changed. {advice.TrimEnd('.')}.");
}
