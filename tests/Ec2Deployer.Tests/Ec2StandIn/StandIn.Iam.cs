using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Who calls, and what he may.</summary>
internal sealed partial class StandIn
{
    /// <summary>The access key of each call.</summary>
    public ConcurrentQueue<string> AccessKeys { get; } = new();

    private void Remember(HttpRequest request) => AccessKeys.Enqueue(request.Headers.Authorization.ToString().Split("Credential=")[1].Split('/')[0]);
}
