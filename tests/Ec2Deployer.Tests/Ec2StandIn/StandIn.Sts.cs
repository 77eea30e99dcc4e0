using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.SecurityToken;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>STS at the same address: another service, whose requests are not among EC2's.</summary>
internal sealed partial class StandIn
{
    private static readonly XNamespace StsNs = "https://sts.amazonaws.com/doc/2011-06-15/";
    private int _identityRequests;

    /// <summary>How often somebody asked who he is.</summary>
    public int IdentityRequests => _identityRequests;

    /// <summary>The real SDK's client of STS before it.</summary>
    public IAmazonSecurityTokenService StsClient() => new AmazonSecurityTokenServiceClient(
        new BasicAWSCredentials("AKIDEXAMPLE", "planted-secret-access-key"),
        new AmazonSecurityTokenServiceConfig { ServiceURL = Address.AbsoluteUri, AuthenticationRegion = "us-east-1", MaxErrorRetry = 0, Timeout = TimeSpan.FromSeconds(20) });

    // AWS answers this to everybody who signs: no permission is needed.
    private XElement GetCallerIdentity()
    {
        Interlocked.Increment(ref _identityRequests);
        if (Options.Identity is not { } caller) throw new Ec2Fault("InvalidAction", "The action GetCallerIdentity is not valid for this web service.");
        return new XElement(StsNs + "GetCallerIdentityResponse",
            new XElement(StsNs + "GetCallerIdentityResult",
                new XElement(StsNs + "Arn", caller.Arn), new XElement(StsNs + "UserId", "AIDAEXAMPLE"), new XElement(StsNs + "Account", caller.Account)),
            new XElement(StsNs + "ResponseMetadata", new XElement(StsNs + "RequestId", Guid.NewGuid())));
    }
}
