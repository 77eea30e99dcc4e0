using Amazon.EC2;

namespace Lab.Ec2Deployer.Planning;

/// <summary>What an action does to its subject.</summary>
internal enum ActionKind
{
    /// <summary>It lacks and is created.</summary>
    Create,

    /// <summary>It differs and is changed.</summary>
    Change,

    /// <summary>It is stopped and started.</summary>
    Start,

    /// <summary>It is surplus and removed.</summary>
    Remove,
}

/// <summary>One mutating call to EC2.</summary>
/// <param name="kind">What it does.</param>
/// <param name="subject">To what: the name of a host, a group, a key pair.</param>
/// <param name="detail">More for people, on one line.</param>
internal abstract class Ec2Action(ActionKind kind, string subject, string detail)
{
    /// <summary>What it does.</summary>
    public ActionKind Kind { get; } = kind;

    /// <summary>To what.</summary>
    public string Subject { get; } = subject;

    /// <summary>More for people, on one line.</summary>
    public string Detail { get; } = detail;

    /// <summary>Whether it takes a host from clients that the version of before still serves there: made once the new one serves.</summary>
    public bool IsWithdrawal { get; init; }

    /// <summary>The request, exactly as it is sent once every identifier is known.</summary>
    public abstract AmazonEC2Request Request(Ec2Ids ids);
}

/// <summary>An action with one way to do it.</summary>
/// <param name="kind">What it does.</param>
/// <param name="subject">To what.</param>
/// <param name="detail">More for people.</param>
/// <param name="build">Makes the request.</param>
internal sealed class SimpleAction(ActionKind kind, string subject, string detail, Func<Ec2Ids, AmazonEC2Request> build)
    : Ec2Action(kind, subject, detail)
{
    /// <inheritdoc/>
    public override AmazonEC2Request Request(Ec2Ids ids) => build(ids);
}

/// <summary>The start of a host that was stopped.</summary>
/// <param name="host">The host's name.</param>
/// <param name="instance">The instance as EC2 shows it.</param>
internal sealed class StartAction(string host, ObservedInstance instance) : Ec2Action(ActionKind.Start, host, $"{instance.Id} is {instance.State}")
{
    /// <summary>The instance.</summary>
    public ObservedInstance Instance { get; } = instance;

    /// <inheritdoc/>
    public override AmazonEC2Request Request(Ec2Ids ids) => Ec2Requests.Start(Instance.Id);
}

/// <summary>The start of a new host, which may have to go to another zone than planned.</summary>
/// <param name="host">The host.</param>
/// <param name="zones">Where it may run, best first; never empty.</param>
/// <param name="build">Makes the request for a zone; the number tells apart launches whose instances have ended since.</param>
internal sealed class LaunchAction(PlannedHost host, IReadOnlyList<string> zones, Func<Ec2Ids, string, int, AmazonEC2Request> build)
    : Ec2Action(ActionKind.Create, host.Name, $"{host.InstanceType}{(host.IsSpot ? " on spot" : "")} in {zones[0]}")
{
    /// <summary>The same on demand, for where EC2 has no spot instance; null: it is on demand itself.</summary>
    public LaunchAction? OnDemand { get; init; }

    /// <summary>Whether it is on demand although the host was to be on spot.</summary>
    public bool IsOnDemandInstead { get; init; }

    /// <summary>The start of a host, of one on spot with the same on demand beside it.</summary>
    /// <param name="host">The host.</param>
    /// <param name="zones">Where it may run, best first; never empty.</param>
    /// <param name="isOnDemandInstead">Whether it is on demand although the host was to be on spot.</param>
    /// <param name="build">Makes the request for a host and a zone.</param>
    public static LaunchAction Of(PlannedHost host, IReadOnlyList<string> zones, bool isOnDemandInstead, Func<PlannedHost, Ec2Ids, string, int, AmazonEC2Request> build) =>
        new(host, zones, (ids, zone, generation) => build(host, ids, zone, generation))
        {
            OnDemand = host.IsSpot ? Of(host with { IsSpot = false }, zones, isOnDemandInstead: true, build) : null,
            IsOnDemandInstead = isOnDemandInstead,
        };

    /// <summary>The host.</summary>
    public PlannedHost Host { get; } = host;

    /// <summary>Where it may run, best first.</summary>
    public IReadOnlyList<string> Zones { get; } = zones;

    /// <inheritdoc/>
    public override AmazonEC2Request Request(Ec2Ids ids) => Request(ids, Zones[0], 0);

    /// <summary>The request for one zone.</summary>
    /// <param name="ids">Identifiers known so far.</param>
    /// <param name="zone">One of <see cref="Zones"/>.</param>
    /// <param name="generation">0; one more each time EC2 says that the instance of this token has ended since.</param>
    public AmazonEC2Request Request(Ec2Ids ids, string zone, int generation) => build(ids, zone, generation);
}
