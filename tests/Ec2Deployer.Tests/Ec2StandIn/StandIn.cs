using System.Globalization;
using System.Xml.Linq;
using Amazon.EC2;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>
/// A stand-in of the EC2 Query protocol (form in, XML out; version 2016-11-15) on loopback, for the actions that the
/// deployer uses. What it refuses and how follows the EC2 API reference: client tokens, duplicates, dependencies,
/// identifiers that are unknown at first, throttling, capacity, permissions, paging.
/// </summary>
internal sealed partial class StandIn : IAsyncDisposable
{
    public const string Vpc = "vpc-0d";
    private static readonly XNamespace Ns = "http://ec2.amazonaws.com/doc/2016-11-15/";
    private static readonly string[] Zones = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1e"];

    private readonly WebApplication _web;
    private readonly IHostBackend _hosts;
    private readonly Lock _lock = new();
    private readonly List<QueryForm> _requests = [];
    private readonly List<Task> _boots = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Dictionary<string, Func<QueryForm, XElement[]>> _actions;
    private long _call;
    private int _lastId;

    private StandIn(WebApplication web, IHostBackend hosts)
    {
        (_web, _hosts) = (web, hosts);
        _actions = new()
        {
            [nameof(RunInstances)] = RunInstances,
            [nameof(DescribeInstances)] = DescribeInstances,
            [nameof(TerminateInstances)] = TerminateInstances,
            [nameof(StartInstances)] = StartInstances,
            [nameof(StopInstances)] = StopInstances,
            [nameof(ModifyInstanceAttribute)] = ModifyInstanceAttribute,
            [nameof(GetConsoleOutput)] = GetConsoleOutput,
            [nameof(CreateTags)] = CreateTags,
            [nameof(DeleteTags)] = DeleteTags,
            [nameof(DescribeVolumes)] = DescribeVolumes,
            [nameof(DeleteVolume)] = DeleteVolume,
            [nameof(CreateSecurityGroup)] = CreateSecurityGroup,
            [nameof(DescribeSecurityGroups)] = DescribeSecurityGroups,
            [nameof(AuthorizeSecurityGroupIngress)] = AuthorizeSecurityGroupIngress,
            [nameof(RevokeSecurityGroupIngress)] = RevokeSecurityGroupIngress,
            [nameof(DeleteSecurityGroup)] = DeleteSecurityGroup,
            [nameof(ImportKeyPair)] = ImportKeyPair,
            [nameof(DescribeKeyPairs)] = DescribeKeyPairs,
            [nameof(DeleteKeyPair)] = DeleteKeyPair,
            [nameof(AllocateAddress)] = AllocateAddress,
            [nameof(DescribeAddresses)] = DescribeAddresses,
            [nameof(DescribeAccountAttributes)] = DescribeAccountAttributes,
            [nameof(AssociateAddress)] = AssociateAddress,
            [nameof(DisassociateAddress)] = DisassociateAddress,
            [nameof(ReleaseAddress)] = ReleaseAddress,
            [nameof(DescribeImages)] = DescribeImages,
            [nameof(DescribeVpcs)] = DescribeVpcs,
            [nameof(DescribeSubnets)] = DescribeSubnets,
            [nameof(DescribeInstanceTypeOfferings)] = DescribeInstanceTypeOfferings,
            [nameof(DescribeRegions)] = DescribeRegions,
            [nameof(DescribeInstanceTypes)] = DescribeInstanceTypes,
            [nameof(DescribeRouteTables)] = DescribeRouteTables,
            [nameof(DescribeSpotInstanceRequests)] = DescribeSpotInstanceRequests,
        };
    }

    public StandInOptions Options { get; } = new();

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>All requests so far, refused ones included.</summary>
    public IReadOnlyList<QueryForm> Requests
    {
        get { lock (_lock) return [.. _requests]; }
    }

    /// <summary>The actions that changed something, in order; refused ones are not among them.</summary>
    public List<string> Mutations { get; } = [];

    public IReadOnlyCollection<StandInInstance> Instances => _instances.Values;

    public IReadOnlyCollection<StandInGroup> Groups => _groups.Values;

    public IReadOnlyCollection<StandInKey> Keys => _keys.Values;

    public IReadOnlyCollection<StandInVolume> Volumes => _volumes.Values;

    public static async Task<StandIn> StartAsync(IHostBackend? hosts = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var web = builder.Build();
        var standIn = new StandIn(web, hosts ?? new InstantHosts());
        web.MapPost("/", standIn.AnswerAsync);
        await web.StartAsync();
        standIn.Address = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return standIn;
    }

    /// <summary>The real SDK's client before it. It remembers by how much a server's clock differs, for the process: another test's server may get the port later, and not the name.</summary>
    public IAmazonEC2 Client() => new AmazonEC2Client(
        new BasicAWSCredentials("AKIDEXAMPLE", "planted-secret-access-key"),
        new AmazonEC2Config { ServiceURL = Options.Clock == TimeSpan.Zero ? Address.AbsoluteUri : new UriBuilder(Address) { Host = "localhost" }.Uri.AbsoluteUri, AuthenticationRegion = "us-east-1", MaxErrorRetry = 0, Timeout = TimeSpan.FromSeconds(20) });

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _web.DisposeAsync();
        await Task.WhenAll(_boots);
        foreach (var instance in _instances.Values.Where(instance => instance.State is "running"))
            await _hosts.StopAsync(instance, terminate: true, CancellationToken.None);
        _end.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var form = await QueryForm.ReadAsync(context.Request);
        var action = form["Action"] ?? "";
        XElement answer;
        var lost = false;
        try
        {
            if (!context.Request.Headers.Authorization.ToString().StartsWith("AWS4-HMAC-SHA256 Credential=", StringComparison.Ordinal)) throw Ec2Fault.BadKeys;
            Remember(context.Request);
            CheckClock(context);
            if (action == nameof(GetCallerIdentity)) answer = GetCallerIdentity();
            else lock (_lock)
            {
                _call++;
                _requests.Add(form);
                Authorize(action, form);
                if (form["DryRun"] == "true") throw DryRun(action, form);
                if (Options.Fault?.Invoke(action) is { } fault) throw fault;
                if (Options.ThrottleEvery > 0 && _call % Options.ThrottleEvery == 0) throw Ec2Fault.Throttled;
                if (Options.Denied.Contains(action)) throw Ec2Fault.Unauthorized(action);
                if (!_actions.TryGetValue(action, out var perform)) throw new Ec2Fault("InvalidAction", $"The action {action} is not valid for this web service.");
                answer = new XElement(Ns + $"{action}Response", new XElement(Ns + "requestId", Guid.NewGuid()), perform(form));
                if (!action.StartsWith("Describe", StringComparison.Ordinal) && !action.StartsWith("Get", StringComparison.Ordinal))
                {
                    Mutations.Add(action);
                    lost = Options.LoseAnswer?.Invoke(action) == true;
                }
            }
        }
        catch (Ec2Fault fault)
        {
            context.Response.StatusCode = fault.Status;
            answer = new XElement("Response",
                new XElement("Errors", new XElement("Error", new XElement("Code", fault.Code), new XElement("Message", fault.Message))),
                new XElement("RequestID", Guid.NewGuid()));
        }

        if (lost)
        {
            context.Abort();
            return;
        }

        context.Response.ContentType = "text/xml;charset=UTF-8";
        await context.Response.WriteAsync(answer.ToString(SaveOptions.DisableFormatting), context.RequestAborted);
    }

    private string NewId(string kind) => $"{kind}-{++_lastId:x17}";

    private bool Visible(StandInResource resource) => _call >= resource.VisibleFrom;

    private long FirstVisible() => _call + Options.Lag + 1;

    private static XElement E(string name, object? value) => new(Ns + name, value);

    private static XElement Set(string name, IEnumerable<IEnumerable<object?>> items) => new(Ns + name, items.Select(item => new XElement(Ns + "item", item)));

    private static XElement TagSet(StandInResource resource) =>
        Set("tagSet", resource.Tags.Select(tag => new object?[] { E("key", tag.Key), E("value", tag.Value) }));

    /// <summary>A page of a list, and the token of the next.</summary>
    private XElement[] Page(QueryForm form, string name, IEnumerable<object?[]> items)
    {
        var start = int.Parse(form["NextToken"] ?? "0", CultureInfo.InvariantCulture);
        var rest = items.Skip(start).ToList();
        var page = Set(name, rest.Take(Options.PageSize));
        return rest.Count > Options.PageSize ? [page, E("nextToken", start + Options.PageSize)] : [page];
    }
}
