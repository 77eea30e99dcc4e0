using System.Text;
using Lab.ServiceDefaults.Health;
using Lab.Worker.Checkpoints;
using Microsoft.Extensions.Options;

namespace Lab.Worker.Inference;

/// <summary>Loads a model; throws <see cref="ModelDirectoryException"/> where it cannot be served.</summary>
/// <param name="cancellationToken">Cancelled when the worker stops before its model is there.</param>
internal delegate TextModel ModelLoader(CancellationToken cancellationToken);

/// <summary>
/// Loads and warms the model while the server already answers, and stops the server if that fails.
/// </summary>
internal sealed partial class ModelHost(
    ModelLoader load, InferenceGate gate, WarmUp warmUp, IOptions<WorkerOptions> options,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ModelHost> logger) : BackgroundService
{
    // What orchestrators send: one text as it is, and several.
    private static readonly (string Path, string ContentType, string Body)[] Usual =
    [
        ("/run_model", "text/plain", "Is it warm?"),
        ("/run_model", "application/json", """{"text":"Is it warm?"}"""),
        ("/run_batch", "application/json", """{"texts":["Is it warm?","It is."],"tokens":["a","b"]}"""),
    ];

    private TextModel? _model;
    private TextModel? _ready;

    /// <summary>The model, once it can compute.</summary>
    public TextModel? Ready => Volatile.Read(ref _ready);

    /// <summary>Whether a request would find everything as fast as it is going to be.</summary>
    public bool IsWarm { get; private set; }

    /// <summary>Why there will be no model, in one line.</summary>
    public string? Failure { get; private set; }

    /// <summary>Waits for the loading and the computation under way and frees the model. May be called more than once.</summary>
    public override void Dispose()
    {
        base.Dispose();
        // Where the server cannot listen nothing else has waited for the thread that loads and warms the model.
        if (ExecuteTask is IAsyncResult loading) loading.AsyncWaitHandle.WaitOne();
        gate.Dispose();
        Volatile.Write(ref _ready, null);
        Interlocked.Exchange(ref _model, null)?.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = time.GetTimestamp();
        try
        {
            // A thread of its own: loading takes seconds, and the pool may have a single thread.
            await Task.Factory.StartNew(() => Load(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await WarmRequestsAsync(stoppingToken);
            IsWarm = true;
            var elapsed = time.GetElapsedTime(started);
            LogReady(_model!.Description.Name, options.Value.FullModelDirectory, elapsed.TotalSeconds);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops before its model was there: nothing to tell.
        }
#pragma warning disable CA1031 // Whatever it is, without a model this process is of no use, and the user wants one line.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failure = e is ModelDirectoryException
                ? e.Message
                : new ModelDirectoryException(options.Value.FullModelDirectory, $"cannot be served: {e.Message}").Message;
            LogFailure(e);
            // A host that is told to stop while it starts throws: let it start first.
            lifetime.ApplicationStarted.Register(lifetime.StopApplication);
        }
    }

    private async Task WarmRequestsAsync(CancellationToken cancellationToken)
    {
        foreach (var (path, contentType, body) in Usual)
        {
            var status = await warmUp.PostAsync(path, contentType, Encoding.UTF8.GetBytes(body), cancellationToken);
            // Somebody may have come before the worker said that it is ready, and be served: slower, that is all.
            if (status is not 200) LogNotWarm(path, status);
        }
    }

    private void Load(CancellationToken cancellationToken)
    {
        // Native threads that the runtime starts here for large computations stay on the same cores.
        if (options.Value.Cores is { Count: > 0 } cores) CpuSet.Pin(cores);
        if (options.Value.Threads > Environment.ProcessorCount) LogThreads(options.Value.Threads, Environment.ProcessorCount);
        _model = load(cancellationToken);
        _model.WarmUp(cancellationToken);
        Volatile.Write(ref _ready, _model);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} from {Directory} is ready after {Seconds:F2} s")]
    private partial void LogReady(string model, string directory, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Threads is {Threads}, but this process may use {Cores} cores, and no more threads are started")]
    private partial void LogThreads(int threads, int cores);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path} answers its own request with {Status}")]
    private partial void LogNotWarm(string path, int status);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The model cannot be served")]
    private partial void LogFailure(Exception exception);
}
