using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Swarm;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Ec2Deployer.Tests.Fleet;

/// <summary>A rollout as whoever watches hears of it.</summary>
public sealed class RolloutTellingTests
{
    private readonly List<string> _said = [];
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Tell_OneHostAfterAnother_TellsEachFromOldToNew()
    {
        using (var telling = Telling())
        {
            telling.Tell(State(Old("n1", stopping: true), Old("n2")), "new", expected: 2);
            _time.Advance(TimeSpan.FromSeconds(2));
            telling.Tell(State(Old("n1", stopping: true), Old("n2")), "new", expected: 2);
            telling.Tell(State(New("n1", "preparing"), Old("n2")), "new", expected: 2);
            telling.Tell(State(New("n1", "starting"), Old("n2")), "new", expected: 2);
            telling.Tell(State(New("n1", "running"), Old("n2", stopping: true)), "new", expected: 2);
            // Come and gone between two looks.
            telling.Tell(State(New("n1", "running"), New("n2", "running")), "new", expected: 2);
            telling.Tell(State(New("n1", "running"), New("n2", "running")), "new", expected: 2);
        }

        Assert.Equal(
        [
            "begin host-1: worker-a v1 → v2",
            "say the old one finishes its work, 0 s",
            "say the old one finishes its work, 2 s",
            "say is started, 0 s",
            "say waits until it is healthy, 0 s",
            "end healthy, 1 of 2",
            "begin host-2: worker-a v1 → v2",
            "say the old one finishes its work, 0 s",
            "end healthy, 2 of 2",
        ], _said);
    }

    [Fact]
    public void Settled_HostThatLosesTheService_IsDoneWithIt()
    {
        using (var telling = Telling())
        {
            telling.Tell(State(New("n1", "running"), Old("n2", stopping: true)), "new", expected: 1);
            _time.Advance(TimeSpan.FromSeconds(2));
            telling.Tell(State(New("n1", "running")), "new", expected: 1);
            telling.Settled();
        }

        Assert.Equal(["begin host-2: worker-a v1 → v2", "say the old one finishes its work, 0 s", "say stopped, 0 s", "end no longer its host"], _said);
    }

    [Fact]
    public void Tell_HostThatChangesNothing_SaysNothingOfIt()
    {
        using var telling = Telling();

        telling.Tell(State(New("n1", "running"), Old("n2")), "new", expected: 2);

        Assert.Empty(_said);
    }

    [Fact]
    public void Dispose_HostThatNeverBecameHealthy_HasFailed()
    {
        using (var telling = Telling()) telling.Tell(State(New("n2", "starting")), "new", expected: 2);

        Assert.Equal(["begin host-2: worker-a v1 → v2", "say waits until it is healthy, 0 s", "failed"], _said);
    }

    private static ServiceState State(params ServiceTask[] tasks) => new("new", "v2", "updating", null, "", tasks);

    private static ServiceTask New(string node, string state) => new($"t-{node}", node, "new", state, ShouldRun: true, "");

    private static ServiceTask Old(string node, bool stopping = false) => new($"o-{node}", node, "old", "running", ShouldRun: !stopping, "");

    private RolloutTelling Telling() => new(new Heard(_said), "worker-a", "v1 → v2", new Dictionary<string, string> { ["n1"] = "host-1", ["n2"] = "host-2" }, _time);

    private sealed class Heard(List<string> said) : Reporting.IProgressSink
    {
        public Reporting.IProgressStep Begin(string title, string? host = null)
        {
            said.Add($"begin {host}: {title}");
            return new Step(said);
        }

        public void Note(string message) => said.Add(message);

        public void Audit(string action, string subject) => said.Add(action);
    }

    private sealed class Step(List<string> said) : Reporting.IProgressStep
    {
        private bool _isDone;

        public void Report(long done, long total) => said.Add($"{done} of {total}");

        public void Say(string detail) => said.Add($"say {detail}");

        public void Done(string outcome)
        {
            _isDone = true;
            said.Add($"end {outcome}");
        }

        public void Dispose()
        {
            if (!_isDone) said.Add("failed");
        }
    }
}
