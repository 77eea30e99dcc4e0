using Lab.Worker.Compilation;

namespace Lab.Worker.Inference;

/// <summary>
/// The reading of a model's files, under way beside everything else. Whoever takes them owns their weights; what nobody
/// has taken is freed here, once no thread is in it: the process must not end under the runtime's native code.
/// </summary>
internal sealed class ModelReading : IDisposable
{
    private readonly Task<ModelFiles> _files;
    private int _taken;

    /// <summary>Begins.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="notes">Where the weights' hash may be noted, or null.</param>
    public ModelReading(string directory, HashNotes? notes)
    {
        OnnxRuntimeProcess.SilenceTelemetry();
        _files = Task.Run(() => ModelFiles.Read(directory, notes));
    }

    /// <summary>Waits for the files, and takes them.</summary>
    /// <exception cref="Checkpoints.ModelDirectoryException">The directory cannot be served.</exception>
    public ModelFiles Take()
    {
        if (Interlocked.Exchange(ref _taken, 1) == 1) throw new InvalidOperationException("The files have been taken.");
        return _files.GetAwaiter().GetResult();
    }

    /// <summary>Waits until they are read, and frees them if nobody has taken them.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _taken, 1) == 1) return;
        ((IAsyncResult)_files).AsyncWaitHandle.WaitOne();
        if (_files.IsCompletedSuccessfully) _files.Result.Weights.Dispose();
    }
}
