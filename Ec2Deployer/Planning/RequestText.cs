using Amazon.EC2;
using Amazon.EC2.Model;
using Amazon.EC2.Model.Internal.MarshallTransformations;
using Amazon.Runtime.Internal;

namespace Lab.Ec2Deployer.Planning;

/// <summary>A request as the SDK puts it on the wire: one <c>name=value</c> for each field, after the action's name.</summary>
internal static class RequestText
{
    /// <summary>The action's name, such as <c>RunInstances</c>.</summary>
    public static string ActionOf(AmazonEC2Request request) => request.GetType().Name[..^"Request".Length];

    /// <summary>All fields, one on each line, in the order of their names.</summary>
    /// <param name="request">One of those that <see cref="Ec2Requests"/> builds.</param>
    public static string Of(AmazonEC2Request request) => string.Join('\n', Fields(request).Select(field => $"{field.Key}={field.Value}"));

    /// <summary>All fields except the version of the protocol.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Fields(AmazonEC2Request request) =>
        Marshall(request).Parameters
            .Where(field => field.Key is not ("Version" or "Action"))
            .OrderBy(field => field.Key, StringComparer.Ordinal);

    private static IRequest Marshall(AmazonEC2Request request) => request switch
    {
        ImportKeyPairRequest import => ImportKeyPairRequestMarshaller.Instance.Marshall(import),
        CreateSecurityGroupRequest create => CreateSecurityGroupRequestMarshaller.Instance.Marshall(create),
        AuthorizeSecurityGroupIngressRequest authorize => AuthorizeSecurityGroupIngressRequestMarshaller.Instance.Marshall(authorize),
        RevokeSecurityGroupIngressRequest revoke => RevokeSecurityGroupIngressRequestMarshaller.Instance.Marshall(revoke),
        RunInstancesRequest run => RunInstancesRequestMarshaller.Instance.Marshall(run),
        StartInstancesRequest start => StartInstancesRequestMarshaller.Instance.Marshall(start),
        ModifyInstanceAttributeRequest modify => ModifyInstanceAttributeRequestMarshaller.Instance.Marshall(modify),
        CreateTagsRequest tags => CreateTagsRequestMarshaller.Instance.Marshall(tags),
        DeleteTagsRequest tags => DeleteTagsRequestMarshaller.Instance.Marshall(tags),
        TerminateInstancesRequest terminate => TerminateInstancesRequestMarshaller.Instance.Marshall(terminate),
        DeleteSecurityGroupRequest group => DeleteSecurityGroupRequestMarshaller.Instance.Marshall(group),
        AllocateAddressRequest allocate => AllocateAddressRequestMarshaller.Instance.Marshall(allocate),
        AssociateAddressRequest associate => AssociateAddressRequestMarshaller.Instance.Marshall(associate),
        DisassociateAddressRequest disassociate => DisassociateAddressRequestMarshaller.Instance.Marshall(disassociate),
        ReleaseAddressRequest release => ReleaseAddressRequestMarshaller.Instance.Marshall(release),
        DeleteKeyPairRequest key => DeleteKeyPairRequestMarshaller.Instance.Marshall(key),
        _ => throw new NotSupportedException($"{request.GetType().Name} changes nothing, or is not planned for."),
    };
}
