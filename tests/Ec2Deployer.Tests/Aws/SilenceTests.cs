using System.Net;
using System.Net.Sockets;
using Amazon.EC2;
using Amazon.Runtime;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>An EC2 that does not answer is told after a moment, and tried on.</summary>
public sealed class SilenceTests
{
    private static readonly Ec2Pace Quick = Ec2Session.Pace with { Silence = TimeSpan.FromMilliseconds(30), Faults = TimeSpan.FromSeconds(10) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Pace_OfTheProgram_TellsAfterFiveSeconds() => Assert.Equal(TimeSpan.FromSeconds(5), new Ec2Pace().Silence);

    [Fact]
    public async Task Find_NobodyListens_IsToldOnceWithWhatIsAskedAndUntilWhen()
    {
        await using var session = await Ec2Session.StartAsync();
        var notes = new List<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var deployment = new Ec2Deployment(Client("http://127.0.0.1:1", TimeSpan.FromSeconds(5)), session.DirectoryOf(), Quick with { Faults = TimeSpan.FromMinutes(5) }, TimeProvider.System, message =>
        {
            notes.Add(message);
            stop.CancelAfter(TimeSpan.FromMilliseconds(100));
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deployment.FindAsync(Ec2Session.Options, stop.Token));

        Assert.Matches(@"^EC2 has not answered DescribeInstances for 0\.03 s \((.*refused.*|no answer yet)\): it is tried again until \d\d:\d\d:\d\d UTC\. Ctrl-C gives up\.$", Assert.Single(notes));
    }

    [Fact]
    public async Task Call_GivenUpWhileItFails_EndsAsGivenUp()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var client = Client("http://127.0.0.1:1", TimeSpan.FromSeconds(5));
        var calls = new Ec2Calls(client, Quick, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calls.CallAsync<object>(
            (_, _) =>
            {
                stop.Cancel();
                throw new HttpRequestException("Connection refused");
            },
            stop.Token));
    }

    [Fact]
    public async Task Find_TakesConnectionsAndSaysNothing_IsToldBeforeTheFirstTryIsOver()
    {
        await using var session = await Ec2Session.StartAsync();
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var notes = new List<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var deployment = new Ec2Deployment(Client($"http://{mute.LocalEndpoint}", TimeSpan.FromMinutes(1)), session.DirectoryOf(), Quick, TimeProvider.System, message =>
        {
            notes.Add(message);
            stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deployment.FindAsync(Ec2Session.Options, stop.Token));

        Assert.Contains("DescribeInstances", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Contains("(no answer yet)", notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_TakesConnectionsAndNeverAnswers_EndsWithEc2CannotBeReached()
    {
        await using var session = await Ec2Session.StartAsync();
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var pace = Quick with { Faults = TimeSpan.FromMilliseconds(100) };
        var deployment = new Ec2Deployment(Client($"http://{mute.LocalEndpoint}", TimeSpan.FromMilliseconds(150)), session.DirectoryOf(), pace, TimeProvider.System);

        var error = await Assert.ThrowsAsync<DeploymentException>(() => deployment.FindAsync(Ec2Session.Options, Cancellation));

        Assert.Equal(ExitCode.AwsRefused, error.Code);
        Assert.Contains("EC2 cannot be reached in us-east-1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_AnswersAgain_IsToldToo()
    {
        await using var session = await Ec2Session.StartAsync();
        var notes = new List<string>();
        session.StandIn.Options.Fault = _ => notes.Count == 0 ? new Ec2Fault("Unavailable", "The server is overloaded.", 503) : null;

        await Deployment(session, session.StandIn.Address.AbsoluteUri, notes, Quick).FindAsync(Ec2Session.Options, Cancellation);

        // On a busy machine the calls that follow may take as long, and are told likewise.
        Assert.InRange(notes.Count, 2, int.MaxValue);
        Assert.StartsWith("EC2 has not answered DescribeInstances", notes[0], StringComparison.Ordinal);
        Assert.StartsWith("EC2 answers again", notes[1], StringComparison.Ordinal);
    }

    private static Ec2Deployment Deployment(Ec2Session session, string address, List<string> notes, Ec2Pace pace) =>
        new(Client(address, TimeSpan.FromSeconds(5)), session.DirectoryOf(), pace, TimeProvider.System, notes.Add);

    private static AmazonEC2Client Client(string address, TimeSpan timeout) => new(
        new BasicAWSCredentials("AKIDEXAMPLE", "secret"),
        new AmazonEC2Config { ServiceURL = address, AuthenticationRegion = "us-east-1", MaxErrorRetry = 0, Timeout = timeout });
}
