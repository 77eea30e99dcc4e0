namespace Lab.Bench.Load;

/// <summary>Sends the requests of a plan and hands each to a recorder when it has ended.</summary>
/// <param name="ask">Sends one text.</param>
/// <param name="texts">The texts.</param>
/// <param name="recorder">Takes what happens; called from any thread.</param>
/// <param name="time">The clock.</param>
internal sealed class LoadGenerator(Func<Text, CancellationToken, Task<Reply>> ask, TextSource texts, IExchangeRecorder recorder, TimeProvider time)
{
    // Between a refusal and the same client's next request, unless the orchestrator asks for less: nobody gains from hammering.
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(100);

    // How long an interrupted run waits for answers that are under way.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private int _number = -1;

    /// <summary>Runs a plan to its end: all that was sent has ended when this returns.</summary>
    /// <param name="plan">When to send.</param>
    /// <param name="interrupted">Cancelled when the user wants no more: nothing is sent any longer, and what has no answer after two seconds is given up.</param>
    public async Task RunAsync(LoadPlan plan, CancellationToken interrupted)
    {
        using var giveUp = new CancellationTokenSource();
        using var registration = interrupted.Register(() => giveUp.CancelAfter(Grace));
        await (plan switch
        {
            RoundsPlan rounds => RunRoundsAsync(rounds, interrupted, giveUp.Token),
            ClosedPlan closed => RunClosedAsync(closed, interrupted, giveUp.Token),
            OpenPlan open => RunOpenAsync(open, interrupted, giveUp.Token),
            _ => throw new ArgumentOutOfRangeException(nameof(plan)),
        });
    }

    private async Task RunRoundsAsync(RoundsPlan plan, CancellationToken interrupted, CancellationToken giveUp)
    {
        for (var round = 0; round < plan.Rounds && !interrupted.IsCancellationRequested; round++)
        {
            var intended = time.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, plan.Parallel).Select(_ => SendAsync(Interlocked.Increment(ref _number), intended, giveUp)));
        }
    }

    private async Task RunClosedAsync(ClosedPlan plan, CancellationToken interrupted, CancellationToken giveUp)
    {
        var begun = time.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, plan.Clients).Select(_ => Task.Run(ClientAsync, CancellationToken.None)));

        async Task ClientAsync()
        {
            while (time.GetElapsedTime(begun) < plan.Duration && !interrupted.IsCancellationRequested)
            {
                var reply = await SendAsync(Interlocked.Increment(ref _number), time.GetTimestamp(), giveUp);
                if (reply.Ending is not (Ending.Refused or Ending.Lost)) continue;
                var wait = reply.RetryAfter is { } asked && asked < AfterRefusal ? asked : AfterRefusal;
                await Task.Delay(wait, time, interrupted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task RunOpenAsync(OpenPlan plan, CancellationToken interrupted, CancellationToken giveUp)
    {
        var outstanding = 0;
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The schedule itself counts as one until it has ended.
        var open = 1;
        // A thread of its own: the pool is busy with answers exactly when the schedule must be kept.
        var scheduler = new Thread(() =>
        {
            try
            {
                KeepSchedule();
            }
            catch (Exception e)
            {
                over.TrySetException(e);
            }
            finally
            {
                Close();
            }
        })
        { IsBackground = true, Name = "schedule", Priority = ThreadPriority.AboveNormal };
        scheduler.Start();
        await over.Task;

        void KeepSchedule()
        {
            var begun = time.GetTimestamp();
            var count = (int)Math.Max(1, Math.Round(plan.Rate * plan.Duration.TotalSeconds));
            for (var i = 0; i < count; i++)
            {
                var due = begun + (long)(i / plan.Rate * time.TimestampFrequency);
                while (true)
                {
                    if (interrupted.IsCancellationRequested) return;
                    var wait = time.GetElapsedTime(time.GetTimestamp(), due);
                    if (wait <= TimeSpan.Zero) break;
                    PreciseWait.Sleep(wait);
                }

                var number = Interlocked.Increment(ref _number);
                if (Volatile.Read(ref outstanding) >= plan.MaxOutstanding)
                {
                    var now = time.GetTimestamp();
                    recorder.Ended(new(number, texts.Next(number), due, now, now, new(Ending.NotSent, $"not sent: {plan.MaxOutstanding} waited for their answers already")));
                    continue;
                }

                Interlocked.Increment(ref outstanding);
                Interlocked.Increment(ref open);
                _ = SendAndCountAsync(number, due);
            }
        }

        async Task SendAndCountAsync(int number, long due)
        {
            try
            {
                await SendAsync(number, due, giveUp);
            }
            catch (Exception e)
            {
                over.TrySetException(e);
            }
            finally
            {
                Interlocked.Decrement(ref outstanding);
                Close();
            }
        }

        void Close()
        {
            if (Interlocked.Decrement(ref open) == 0) over.TrySetResult();
        }
    }

    private async Task<Reply> SendAsync(int number, long intended, CancellationToken giveUp)
    {
        var text = texts.Next(number);
        var sent = time.GetTimestamp();
        recorder.Sent();
        var reply = await ask(text, giveUp);
        recorder.Ended(new(number, text, intended, sent, time.GetTimestamp(), reply));
        return reply;
    }
}
