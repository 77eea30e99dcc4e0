using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.AspireCli;

/// <summary><c>aspire publish</c>, <c>deploy</c> and <c>destroy</c>: AppHost's pipeline steps before a stand-in of EC2.</summary>
public sealed class AspireCliTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("lab-aspire-");

    public void Dispose() => _home.Delete(recursive: true);

    [Fact]
    public async Task Publish_Output_HasPlanCloudInitAndStack()
    {
        await using var session = await Ec2Session.StartAsync();
        var directory = Path.Combine(_home.FullName, "plan");

        var run = await RunAsync(session, "publish", "--output-path", directory, "--", "--Ec2:hosts=2");

        Assert.True(run.Code == 0, run.Output);
        Assert.Contains("3 hosts, 5 containers", run.Output, StringComparison.Ordinal);
        Assert.Equal(["cloud-init/host-1.yaml", "cloud-init/host-2.yaml", "cloud-init/orchestrator.yaml", "plan.json", "plan.txt", "stack.yml"],
            Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(directory, file)).Order(StringComparer.Ordinal));
        using var plan = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "plan.json"), TestContext.Current.CancellationToken));
        Assert.Equal(3, plan.RootElement.GetProperty("hosts").GetArrayLength());
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Deploy_NobodyToAsk_ShowsThePriceAndChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();

        var run = await RunAsync(session, "deploy", "--", "--Ec2:hosts=1");

        Assert.NotEqual(0, run.Code);
        Assert.Contains("2 × m7i-flex.large", run.Output, StringComparison.Ordinal);
        Assert.Contains("0.205", run.Output, StringComparison.Ordinal);
        Assert.Contains("Nobody can be asked here, and nothing was changed.", run.Output, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);

        var destroy = await RunAsync(session, "destroy");
        Assert.NotEqual(0, destroy.Code);
        Assert.Contains("--yes", destroy.Output, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Deploy_QuotaUsedUp_FailsWithTheDeployersReasonAndDestroyRemovesWhatWasMade()
    {
        await using var session = await Ec2Session.StartAsync();
        session.Hosts.Network = "127.22.0";
        session.StandIn.Options.DryRunFault = action => action == "RunInstances" ? Ec2Fault.VcpuLimit : null;

        var deploy = await RunAsync(session, "deploy", "--", "--Ec2:hosts=1", "--Ec2:yes=true");

        Assert.NotEqual(0, deploy.Code);
        Assert.Contains("VcpuLimitExceeded", deploy.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing was started.", deploy.Output, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);

        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 1 });
        // Asking a host that hangs fails, and the removal does not.
        using var hung = Hang(session.Hosts.ElasticAddress(1));
        var destroy = await RunAsync(session, "destroy", "--yes");
        Assert.True(destroy.Code == 0, destroy.Output);
        Assert.Contains("The hosts cannot be asked whether somebody else deploys", destroy.Output, StringComparison.Ordinal);
        if (hung is not null) Assert.Contains("→ asking whether somebody else deploys", destroy.Output, StringComparison.Ordinal);
        Assert.Contains("Nothing of 'lab' is left in us-east-1.", destroy.Output, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
        Assert.Empty(session.StandIn.Groups);
        Assert.Empty(session.StandIn.Keys);
    }

    // Takes connections to the SSH port and says nothing for longer than the deployer asks in silence; null: only root may.
    private static TcpListener? Hang(string address)
    {
        var listener = new TcpListener(IPAddress.Parse(address), 22);
        try
        {
            listener.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
        {
            listener.Dispose();
            return null;
        }

        _ = Task.Run(async () =>
        {
            using var connection = await listener.AcceptTcpClientAsync();
            await Task.Delay(TimeSpan.FromSeconds(4));
        });
        return listener;
    }

    private Task<(int Code, string Output)> RunAsync(Ec2Session session, params string[] arguments)
    {
        string[] options = arguments.Contains("--") ? arguments : [.. arguments, "--"];
        return AspireCommand.RunAsync(_home.FullName, session.Config,
            [.. options, $"--Ec2:endpoint-url={session.StandIn.Address}", "--Ec2:region=us-east-1", "--Ec2:ssh-from=203.0.113.7", "--Ec2:http-from=203.0.113.7"]);
    }
}
