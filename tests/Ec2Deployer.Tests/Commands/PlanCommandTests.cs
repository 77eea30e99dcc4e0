using System.Text.Json;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Snapshots;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What <c>plan</c> shows.</summary>
public sealed class PlanCommandTests : CommandTest
{
    [Fact]
    public async Task Plan_NoCredentials_ShowsEverythingAndAsksNobody()
    {
        await using var session = await Ec2Session.StartAsync();
        HasCredentials = false;

        var result = await RunAsync(session, "plan");

        Assert.Equal(0, result.Code);
        Assert.Empty(result.Error);
        const string why = "  ! EC2 was not asked what exists. No AWS credentials were found.\n";
        Assert.Contains(why, result.Out, StringComparison.Ordinal);
        Snapshot.Matches("plan.txt", result.Out.Replace(why, "", StringComparison.Ordinal));
        Assert.Empty(session.StandIn.Requests);
        Assert.Empty(Directory.GetFileSystemEntries(session.Config));
    }

    [Fact]
    public async Task Plan_Offline_AsksNobodyThoughThereAreCredentials()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "plan --offline");

        Assert.Equal(0, result.Code);
        Snapshot.Matches("plan.txt", result.Out);
        Assert.Empty(session.StandIn.Requests);
    }

    [Fact]
    public async Task Plan_Json_HasHostsContainersAndCost()
    {
        await using var session = await Ec2Session.StartAsync();
        var result = await RunAsync(session, "plan --offline --json");

        Snapshot.Matches("plan.json", result.Out);
        using var document = JsonDocument.Parse(result.Out);
        var containers = document.RootElement.GetProperty("containers").EnumerateArray().ToList();
        Assert.Equal(5, document.RootElement.GetProperty("hosts").GetArrayLength());
        Assert.Equal(9, containers.Count);
        Assert.Equal(9, containers.Select(container => (container.GetProperty("host").GetString(), container.GetProperty("port").GetInt32())).Distinct().Count());
        Assert.Equal(0.512567m, document.RootElement.GetProperty("hourly_usd").GetDecimal());
    }

    [Fact]
    public async Task Plan_Verbose_ShowsEachRequestTheDocumentAndTheCommands()
    {
        await using var session = await Ec2Session.StartAsync();
        HasCredentials = false;

        var result = await RunAsync(session, "plan --verbose --hosts 1 --ttl 4h --http-from 0.0.0.0/0 --ssh-from 203.0.113.7");

        Snapshot.Matches("plan-verbose.txt", result.Out);
    }

    [Fact]
    public async Task Plan_VerboseBeforeEc2_IsExactlyWhatPublishSends()
    {
        await using var session = await Ec2Session.StartAsync();
        // What is created first names what is created after it: planned again when all but the hosts exist.
        await session.ProvisionAsync(new DeploymentOptions { Hosts = 1, Owner = "ana" });
        var planned = await RunAsync(session, "plan --json --verbose --hosts 2");
        var sent = session.StandIn.Requests.Count;

        await RunAsync(session, "publish --hosts 2");

        using var document = JsonDocument.Parse(planned.Out);
        var requests = document.RootElement.GetProperty("requests").EnumerateArray()
            .Select(request => $"{request.GetProperty("action").GetString()}: {string.Join('&', request.GetProperty("fields").EnumerateObject().Select(field => $"{field.Name}={field.Value}"))}")
            .ToList();
        var mutating = session.StandIn.Requests.Skip(sent)
            .Where(request => request["DryRun"] is null && !request["Action"]!.StartsWith("Describe", StringComparison.Ordinal) && request["Action"] != "GetConsoleOutput")
            .Select(request => $"{request["Action"]}: {string.Join('&', request.Fields.Where(field => field.Key is not ("Action" or "Version")).OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"))}")
            .ToList();
        // Now three hosts: host-1 is a manager too, but that is not EC2's business.
        Assert.Equal(["RunInstances"], requests.Select(request => request.Split(':')[0]));
        Assert.Equal(requests, mutating);
    }
}
