using Lab.Ec2Deployer.Aws;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class CallerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ask_StsAnswers_TellsAccountAndArn()
    {
        await using var session = await Ec2Session.StartAsync();

        var caller = await new StsCaller(session.StandIn.StsClient, TimeProvider.System).AskAsync(Cancellation);

        Assert.Equal(new CallerIdentity("123456789012", "arn:aws:iam::123456789012:user/ana"), caller);
        Assert.Empty(session.StandIn.Requests);
    }

    [Fact]
    public async Task Ask_EndpointWithoutSts_IsUnknown()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Identity = null;

        Assert.Null(await new StsCaller(session.StandIn.StsClient, TimeProvider.System).AskAsync(Cancellation));
    }

    [Fact]
    public async Task Ask_NoAnswer_IsUnknownAfterFiveSeconds()
    {
        var time = new FakeTimeProvider();
        using var hangs = new ManualResetEventSlim();
        var asked = new StsCaller(() => { hangs.Wait(Cancellation); throw new IOException("gone"); }, time).AskAsync(Cancellation);
        Assert.False(asked.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Null(await asked);
        hangs.Set();
    }
}
