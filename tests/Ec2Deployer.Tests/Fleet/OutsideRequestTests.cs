using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Tests.Fleet;

/// <summary>What is told of the way from here to the orchestrator.</summary>
public sealed class OutsideRequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static HostWay Direct => HostWay.Direct("127.0.0.1", FleetShape.HttpsPort);

    [Fact]
    public async Task Run_TheHostsCertificate_IsBelievedAndNothingIsTold()
    {
        await using var server = await TlsServer.StartAsync("orchestrator");
        var progress = new RecordedProgress();

        await OutsideRequest.RunAsync(Direct, server.Address.Authority, [server.Pem], progress, Token);

        Assert.Equal(["GET /health"], server.Requests);
        Assert.Empty(progress.Lines);
    }

    [Fact]
    public async Task Run_AnotherCertificate_IsTold()
    {
        await using var server = await TlsServer.StartAsync("orchestrator");
        using var other = TlsServer.MakeCertificate("orchestrator");
        var progress = new RecordedProgress();

        await OutsideRequest.RunAsync(Direct, server.Address.Authority, [other.ExportCertificatePem()], progress, Token);

        Assert.Empty(server.Requests);
        Assert.Contains("shows another certificate", Assert.Single(progress.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NobodyAnswers_IsTold()
    {
        var progress = new RecordedProgress();

        await OutsideRequest.RunAsync(Direct, "127.0.0.1:1", [], progress, Token);

        Assert.Contains("look at --http-from", Assert.Single(progress.Lines), StringComparison.Ordinal);
    }
}
