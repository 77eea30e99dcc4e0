using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class QueueRoomTests
{
    private const long Megabyte = 1024 * 1024;

    [Fact]
    public void Submit_MoreBytesThanMayWait_IsRefusedUntilThereIsRoom()
    {
        var bench = new DispatchBench(workers: 1, options => options.QueueBytes = 3 * Megabyte);
        var texts = Enumerable.Range(0, 3).Select(i => bench.Submit(new string('a', (int)Megabyte - 10_000))).ToList();
        var refused = bench.Submit(new string('a', (int)Megabyte));
        Assert.Equal(OutcomeKind.QueueFull, DispatchBench.Ended(refused).Kind);
        Assert.NotNull(DispatchBench.Ended(refused).RetryAfterSeconds);
        // A small one fits in.
        Assert.Equal(EntryState.Queued, bench.Submit("small").State);
        bench.Answer(bench.Sent[0]);
        Assert.Equal(EntryState.Queued, bench.Submit(new string('a', (int)Megabyte - 20_000)).State);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(texts[0]).Kind);
    }

    [Theory]
    [InlineData("alice", true, false)]
    [InlineData("bob", true, true)]
    [InlineData("alice", false, true)]
    public void HasRoom_OneKeyHasThreeQuarters_OnlyOthersGetTheRest(string owner, bool several, bool expected)
    {
        var room = new QueueRoom(capacity: 8, Megabyte, _ => several);
        var entries = Enumerable.Range(0, 6).Select(_ => new QueueEntry(Guid.CreateVersion7(), "text", TimeSpan.FromMinutes(1)) { Owner = "alice" }).ToList();
        foreach (var entry in entries)
        {
            Assert.True(room.HasRoom(1, entry.Size, entry.Owner, out _));
            room.Take(entry);
        }

        Assert.Equal(expected, room.HasRoom(1, 5000, owner, out var detail));
        Assert.Equal(expected, detail is null);
        room.GiveBack(entries[0]);
        room.GiveBack(entries[0]);
        Assert.True(room.HasRoom(1, 5000, owner, out _));
    }

    [Fact]
    public void Submit_OneKeysTexts_LeaveRoomForAnotherKeys()
    {
        var room = new QueueRoom(capacity: 100, 4 * Megabyte, _ => true);
        var size = 0L;
        while (room.HasRoom(1, Megabyte / 4, "alice", out _))
        {
            var entry = new QueueEntry(Guid.CreateVersion7(), new string('a', (int)Megabyte / 4), TimeSpan.FromMinutes(1)) { Owner = "alice" };
            room.Take(entry);
            size += entry.Size;
        }

        Assert.InRange(size, 2 * Megabyte, 3.1 * Megabyte);
        Assert.True(room.HasRoom(1, Megabyte / 4, "bob", out _));
    }
}
