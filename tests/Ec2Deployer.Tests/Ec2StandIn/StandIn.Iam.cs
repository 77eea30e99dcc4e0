using System.Collections.Concurrent;
using System.IO.Enumeration;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Who calls, and what he may: a policy is evaluated as IAM does it for actions, resources and the keys of tags.</summary>
internal sealed partial class StandIn
{
    /// <summary>The access key of each call.</summary>
    public ConcurrentQueue<string> AccessKeys { get; } = new();

    private void Remember(HttpRequest request) => AccessKeys.Enqueue(request.Headers.Authorization.ToString().Split("Credential=")[1].Split('/')[0]);

    private void Authorize(string action, QueryForm form)
    {
        if (Options.Policy is not { } policy) return;
        using var document = JsonDocument.Parse(policy);
        var statements = document.RootElement.GetProperty("Statement").EnumerateArray().ToList();
        foreach (var check in Checks(action, form).OfType<IamCheck>())
            if (!statements.Any(statement => Allows(statement, check))) throw Ec2Fault.Unauthorized(check.Action);
    }

    // What EC2 checks of a call: the action for each resource it makes, changes or uses, and CreateTags for each it makes with tags.
    private IEnumerable<IamCheck?> Checks(string action, QueryForm form)
    {
        switch (action)
        {
            case "RunInstances":
                var network = form.Structures("NetworkInterface").Single();
                yield return new(action, $"arn:aws:ec2:us-east-1::image/{form["ImageId"]}");
                yield return new(action, Arn("subnet", network["SubnetId"]));
                foreach (var part in new[] { "instance", "volume", "network-interface" }) yield return Made(action, form, part);
                // Where none is named it is the network's own.
                yield return network.List("SecurityGroupId").Count == 0 ? new(action, Arn("security-group", "sg-default")) : null;
                foreach (var group in network.List("SecurityGroupId")) yield return Existing(action, "security-group", group);
                yield return Existing(action, "key-pair", _keys.Values.FirstOrDefault(key => key.Name == form["KeyName"])?.Id ?? "none");
                break;
            case "CreateSecurityGroup":
                yield return new(action, Arn("vpc", form["VpcId"]));
                yield return Made(action, form, "security-group");
                break;
            case "AllocateAddress":
                yield return Made(action, form, "elastic-ip");
                break;
            case "AssociateAddress":
                yield return Existing(action, "elastic-ip", form["AllocationId"]!);
                yield return Existing(action, "instance", form["InstanceId"]!);
                break;
            case "DisassociateAddress":
                yield return Existing(action, "elastic-ip", _addresses.Values.FirstOrDefault(address => address.AssociationId == form["AssociationId"])?.Id ?? "none");
                break;
            case "ReleaseAddress":
                yield return Existing(action, "elastic-ip", form["AllocationId"]!);
                break;
            case "ImportKeyPair":
                yield return Made(action, form, "key-pair");
                break;
            case "CreateTags" or "DeleteTags":
                foreach (var id in form.List("ResourceId")) yield return Existing(action, TypeOf(id), id);
                break;
            case "StartInstances" or "StopInstances" or "TerminateInstances":
                foreach (var id in form.List("InstanceId")) yield return Existing(action, "instance", id);
                break;
            case "ModifyInstanceAttribute":
                yield return Existing(action, "instance", form["InstanceId"]!);
                foreach (var group in form.List("GroupId")) yield return Existing(action, "security-group", group);
                break;
            case "GetConsoleOutput":
                yield return Existing(action, "instance", form["InstanceId"]!);
                break;
            case "AuthorizeSecurityGroupIngress" or "RevokeSecurityGroupIngress" or "DeleteSecurityGroup":
                yield return Existing(action, "security-group", form["GroupId"]!);
                break;
            case "DeleteVolume":
                yield return Existing(action, "volume", form["VolumeId"]!);
                break;
            case "DeleteKeyPair":
                yield return Existing(action, "key-pair", form["KeyPairId"] ?? "none");
                break;
            default:
                yield return new(action, "*");
                break;
        }

        foreach (var specification in form.Structures("TagSpecification"))
            yield return Made("CreateTags", form, specification.Required("ResourceType")) with { CreateAction = action };
    }

    private static IamCheck Made(string action, QueryForm form, string type) => new(action, Arn(type, "*")) { RequestTags = form.Tags(type) };

    // What does not exist has no tags to be checked: the action says that it is not found.
    private IamCheck? Existing(string action, string type, string id) => Find(id) is { } resource ? new(action, Arn(type, id)) { ResourceTags = resource.Tags } : null;

    private static string TypeOf(string id) => id.Split('-')[0] switch { "i" => "instance", "vol" => "volume", "eni" => "network-interface", "sg" => "security-group", "eipalloc" => "elastic-ip", _ => "key-pair" };

    private static string Arn(string type, string? id) => $"arn:aws:ec2:us-east-1:123456789012:{type}/{id}";

    private static bool Allows(JsonElement statement, IamCheck check) =>
        statement.GetProperty("Effect").GetString() == "Allow"
        && Words(statement.GetProperty("Action")).Contains($"ec2:{check.Action}")
        && Words(statement.GetProperty("Resource")).Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, check.Arn, ignoreCase: false))
        && (!statement.TryGetProperty("Condition", out var condition) || condition.EnumerateObject().All(test => test.Value.EnumerateObject().All(key =>
            check[key.Name] is { } value && Words(key.Value).Any(wanted => test.Name switch
            {
                "StringEquals" => wanted == value,
                "StringLike" => FileSystemName.MatchesSimpleExpression(wanted, value, ignoreCase: false),
                _ => throw new NotSupportedException(test.Name),
            }))));

    private static IEnumerable<string> Words(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().Select(word => word.GetString()!) : [element.GetString()!];
}

/// <summary>What a policy is asked about.</summary>
internal sealed record IamCheck(string Action, string Arn)
{
    public IReadOnlyDictionary<string, string> RequestTags { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> ResourceTags { get; init; } = new Dictionary<string, string>();

    public string? CreateAction { get; init; }

    /// <summary>The value of a condition's key, or null: it is not there, and no condition on it holds.</summary>
    public string? this[string key] => key.Split('/', 2) switch
    {
        ["aws:RequestTag", var tag] => RequestTags.GetValueOrDefault(tag),
        ["aws:ResourceTag", var tag] => ResourceTags.GetValueOrDefault(tag),
        ["ec2:CreateAction"] => CreateAction,
        _ => throw new NotSupportedException(key),
    };
}
