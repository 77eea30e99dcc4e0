using Lab.Bench.Load;
using Lab.Bench.Recording;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Bench.Tests.Recording;

public sealed class RecorderTests
{
    private static readonly Text Sent = new("text");
    private readonly FakeTimeProvider _time = new();
    private readonly Recorder _recorder;

    public RecorderTests() => _recorder = new(_time);

    [Fact]
    public void Ended_SentLate_LatencyCountsFromTheIntendedMoment()
    {
        Record(intendedMs: 0, sentMs: 900, endedMs: 1000, new(Ending.Answered, null, Answer(queueMs: 10, inferenceMs: 20)));

        var recorded = _recorder.Finish();
        Assert.Equal(1000, recorded.Total.Max, 5.0);
        Assert.Equal(900, recorded.Lateness.Max, 5.0);
        Assert.Equal(970, recorded.Rest.Max, 5.0);
        Assert.Equal((10.0, 20.0), (recorded.Queue.Mean, recorded.Inference.Mean));
    }

    [Fact]
    public void Ended_SameIdentityTwice_IsWrong()
    {
        var answer = Answer();
        Record(0, 0, 5, new(Ending.Answered, null, answer));
        Record(0, 0, 6, new(Ending.Answered, null, answer));

        var recorded = _recorder.Finish();
        Assert.Equal((1, 1), (recorded.Answered, recorded.Wrong));
        Assert.Contains("given twice", Assert.Single(recorded.Incidents).Reason);
        Assert.Equal(ExitCode.WrongOrLost, recorded.Verdict);
    }

    [Fact]
    public void Finish_EveryEnding_IsCountedApart()
    {
        Record(0, 0, 5, new(Ending.Answered, null, Answer(attempts: 2)));
        Record(0, 0, 5, new(Ending.Refused, "429 Queue full"));
        Record(0, 0, 5, new(Ending.Refused, "429 Queue full"));
        Record(0, 0, 5, new(Ending.Lost, "connection failed"));
        Record(0, 0, 5, new(Ending.NotSent, "not sent"));

        var recorded = _recorder.Finish();
        Assert.Equal((1, 1, 1, 2), (recorded.Answered, recorded.Lost, recorded.NotSent, recorded.Refused["429 Queue full"]));
        Assert.Equal(1, recorded.Retried);
        Assert.Equal(1, recorded.Total.Count);
        Assert.Equal("lost", Assert.Single(recorded.Incidents).What);
    }

    [Fact]
    public void Finish_TwoWaitedAtOnce_QueueIsTwoDeep()
    {
        Record(0, 0, 100, new(Ending.Answered, null, Answer(queueMs: 90, inferenceMs: 10)));
        Record(20, 20, 120, new(Ending.Answered, null, Answer(queueMs: 90, inferenceMs: 10)));
        Record(120, 120, 130, new(Ending.Answered, null, Answer(queueMs: 0.2, inferenceMs: 9.8)));

        var recorded = _recorder.Finish();
        Assert.Equal(2, recorded.DeepestQueue);
        Assert.Equal(0.02, recorded.DeepestAtSeconds, 1e-6);
        Assert.Equal(0.11, recorded.QueuedSeconds, 1e-6);
        Assert.Equal(2, recorded.Depth.Draw(recorded.Seconds, 13).Max(point => point.Depth));
        Assert.Equal(0, recorded.Depth.Draw(recorded.Seconds, 13)[^1].Depth);
    }

    [Fact]
    public void Samples_MoreThanTheLimit_KeepAFairChoice()
    {
        var samples = new Samples(100);
        for (var i = 0; i < 10_000; i++) samples.Add(new(i, i, 0, 0));

        var kept = samples.Kept();
        Assert.Equal((100, 10_000), (kept.Count, samples.Seen));
        Assert.InRange(kept.Average(sample => sample.Seconds), 3500, 6500);
    }

    private static Answer Answer(double queueMs = 0, double inferenceMs = 1, int attempts = 1) =>
        new(Guid.NewGuid(), "worker-1", attempts, 1, queueMs, inferenceMs, "POSITIVE", [1]);

    private void Record(double intendedMs, double sentMs, double endedMs, Reply reply)
    {
        var begun = _time.GetTimestamp();
        _recorder.Sent();
        _recorder.Ended(new(0, Sent, At(intendedMs), At(sentMs), At(endedMs), reply));

        long At(double ms) => begun + (long)(ms / 1000 * _time.TimestampFrequency);
    }
}
