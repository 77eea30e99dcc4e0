using Lab.Worker.Inference;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Api;

/// <summary>A real model whose next computation waits, once told to, until the test lets it go.</summary>
internal sealed class HeldModel(ILogitsModel inner) : ILogitsModel
{
    private readonly ManualResetEventSlim _release = new();
    private volatile bool _hold;

    public TaskCompletionSource Computing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Computations { get; private set; }

    public void Hold() => _hold = true;

    public void Release() => _release.Set();

    public float[][] ComputeLogits(IReadOnlyList<TokenizedText> texts)
    {
        if (_hold)
        {
            Computations++;
            Computing.TrySetResult();
            if (!_release.Wait(TimeSpan.FromSeconds(60))) throw new TimeoutException("The test never let the computation go.");
        }

        return inner.ComputeLogits(texts);
    }

    public void Dispose()
    {
        inner.Dispose();
        _release.Dispose();
    }
}
