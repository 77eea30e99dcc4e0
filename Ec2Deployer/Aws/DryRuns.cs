using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Requests that EC2 answers with whether it would obey, and does nothing about.</summary>
internal static class DryRuns
{
    /// <summary>The request as a question, or null where it names something that does not exist yet.</summary>
    /// <param name="request">One of a plan's, and the caller's own: it is changed.</param>
    public static AmazonEC2Request? Of(AmazonEC2Request request)
    {
        if (request is RunInstancesRequest run)
        {
            // A launch can be asked for without the key and the groups that are made for it.
            if (run.NetworkInterfaces[0].Groups.Any(Ec2Ids.IsSymbolic)) (run.KeyName, run.NetworkInterfaces[0].Groups) = (null, null);
            // The token belongs to the launch itself.
            run.ClientToken = null;
        }

        if (RequestText.Fields(request).Any(field => Ec2Ids.IsSymbolic(field.Value))) return null;
        switch (request)
        {
            case ImportKeyPairRequest import: import.DryRun = true; break;
            case CreateSecurityGroupRequest create: create.DryRun = true; break;
            case AuthorizeSecurityGroupIngressRequest authorize: authorize.DryRun = true; break;
            case RevokeSecurityGroupIngressRequest revoke: revoke.DryRun = true; break;
            case RunInstancesRequest launch: launch.DryRun = true; break;
            case StartInstancesRequest start: start.DryRun = true; break;
            case ModifyInstanceAttributeRequest modify: modify.DryRun = true; break;
            case CreateTagsRequest tags: tags.DryRun = true; break;
            case TerminateInstancesRequest terminate: terminate.DryRun = true; break;
            case AllocateAddressRequest allocate: allocate.DryRun = true; break;
            case AssociateAddressRequest associate: associate.DryRun = true; break;
            case DisassociateAddressRequest disassociate: disassociate.DryRun = true; break;
            case ReleaseAddressRequest release: release.DryRun = true; break;
            case DeleteKeyPairRequest key: key.DryRun = true; break;
            default: return null;
        }

        return request;
    }

    /// <summary>Asks. EC2's answer is an exception, whatever it is.</summary>
    /// <param name="ec2">The client.</param>
    /// <param name="request">What <see cref="Of"/> gave.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public static Task SendAsync(IAmazonEC2 ec2, AmazonEC2Request request, CancellationToken cancellationToken) => request switch
    {
        ImportKeyPairRequest import => ec2.ImportKeyPairAsync(import, cancellationToken),
        CreateSecurityGroupRequest create => ec2.CreateSecurityGroupAsync(create, cancellationToken),
        AuthorizeSecurityGroupIngressRequest authorize => ec2.AuthorizeSecurityGroupIngressAsync(authorize, cancellationToken),
        RevokeSecurityGroupIngressRequest revoke => ec2.RevokeSecurityGroupIngressAsync(revoke, cancellationToken),
        RunInstancesRequest run => ec2.RunInstancesAsync(run, cancellationToken),
        StartInstancesRequest start => ec2.StartInstancesAsync(start, cancellationToken),
        ModifyInstanceAttributeRequest modify => ec2.ModifyInstanceAttributeAsync(modify, cancellationToken),
        CreateTagsRequest tags => ec2.CreateTagsAsync(tags, cancellationToken),
        TerminateInstancesRequest terminate => ec2.TerminateInstancesAsync(terminate, cancellationToken),
        AllocateAddressRequest allocate => ec2.AllocateAddressAsync(allocate, cancellationToken),
        AssociateAddressRequest associate => ec2.AssociateAddressAsync(associate, cancellationToken),
        DisassociateAddressRequest disassociate => ec2.DisassociateAddressAsync(disassociate, cancellationToken),
        ReleaseAddressRequest release => ec2.ReleaseAddressAsync(release, cancellationToken),
        DeleteKeyPairRequest key => ec2.DeleteKeyPairAsync(key, cancellationToken),
        _ => throw new NotSupportedException(request.GetType().Name),
    };
}
