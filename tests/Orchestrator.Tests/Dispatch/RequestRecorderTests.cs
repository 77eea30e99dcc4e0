using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class RequestRecorderTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Latest_MoreThanAreKept_IsTheLastOnesNewestFirst()
    {
        var recorder = new RequestRecorder(_time);
        for (var i = 1; i <= 250; i++) recorder.Add(Entry($"text {i}"), new(OutcomeKind.Canceled));
        var latest = recorder.Latest();
        Assert.Equal(RequestRecorder.Kept, latest.Length);
        Assert.Equal(Enumerable.Range(0, RequestRecorder.Kept).Select(i => 250L - i), latest.Select(request => request.Number));
        Assert.Equal("text 250", latest[0].Text);
    }

    [Fact]
    public void Latest_FewerThanAreKept_HasNoEmptyOnes()
    {
        var recorder = new RequestRecorder(_time);
        recorder.Add(Entry("one"), new(OutcomeKind.Canceled));
        Assert.Equal("one", Assert.Single(recorder.Latest()).Text);
    }

    [Fact]
    public void Add_LongText_IsShortenedBetweenCharacters()
    {
        var recorder = new RequestRecorder(_time);
        var text = new string('a', RequestRecorder.MaxTextLength - 1) + "😀 and more";
        recorder.Add(Entry(text), new(OutcomeKind.Canceled));
        var request = Assert.Single(recorder.Latest());
        Assert.Equal(new string('a', RequestRecorder.MaxTextLength - 1), request.Text);
        Assert.Equal(text.Length, request.TextLength);
    }

    [Fact]
    public void Add_AnsweredRefusedAndHungUp_AreCountedApart()
    {
        var recorder = new RequestRecorder(_time);
        var entry = Entry("fine");
        entry.AcceptedAt = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(40));
        entry.Waited = TimeSpan.FromMilliseconds(30);
        recorder.Add(entry, new(OutcomeKind.Answered, new("id", "worker-1", 1, 4, 30, 8, "fine", false, "POSITIVE", [0, 1])));
        recorder.Add(Entry("refused"), new(OutcomeKind.QueueFull));
        recorder.Add(Entry("gone"), new(OutcomeKind.Canceled));

        var totals = recorder.Totals();
        Assert.Equal((3, 1, 1), (totals.Ended, totals.Answered, totals.Failed));
        var answered = recorder.Latest()[2];
        Assert.Equal(("worker-1", 4, 30, 8, 40), (answered.Worker, answered.BatchSize, answered.QueueMs, answered.InferenceMs, answered.TotalMs));
        Assert.Equal([false, true, false], recorder.Latest().Select(request => request.IsFailure));
        // What was never accepted took no time.
        Assert.Equal(0, recorder.Latest()[1].TotalMs);
    }

    [Fact]
    public void Add_AnswerOfSeveralLabelsOrNumbers_IsKeptAsFarAsItIsShown()
    {
        var recorder = new RequestRecorder(_time);
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"L{i}")];
        float[] scores = [.. Enumerable.Range(0, 40).Select(i => (i + 1) / 40f)];
        recorder.Add(Entry("a"), new(OutcomeKind.Answered, Answer(MultiLabel.LabelsOf(scores, names)), Problem: ProblemType.MultiLabel));
        recorder.Add(Entry("b"), new(OutcomeKind.Answered, Answer(null), Problem: ProblemType.Regression));
        recorder.Add(Entry("c"), new(OutcomeKind.Answered, Answer(null)));

        var verdicts = recorder.Latest().Select(request => request.Verdict).ToList();
        Assert.Null(verdicts[0]);
        Assert.Equal(scores[..Verdict.MaxShown], verdicts[1]!.Scores);
        Assert.Equal(["L39", "L38", "L37", "L36", "L35"], verdicts[2]!.Labels);
        Assert.Equal([40 / 40f, 39 / 40f, 38 / 40f, 37 / 40f, 36 / 40f], verdicts[2]!.Scores);
        Assert.Equal((40, 21), (verdicts[1]!.Count, verdicts[2]!.Count));

        RequestAnswer Answer(string[]? labels) => new("id", "worker-1", 1, 1, 30, 8, "fine", false, "L39", scores, labels);
    }

    private static QueueEntry Entry(string text) => new(Guid.CreateVersion7(), text, TimeSpan.FromSeconds(1));
}
