using Microsoft.Extensions.Options;

namespace Lab.Worker.Inference;

/// <summary>Looks every five seconds whether EC2 takes this spot instance back, and announces that to <see cref="Departure"/>. Does nothing where no metadata service is set.</summary>
internal sealed partial class SpotNoticeWatch(
    IOptions<WorkerOptions> options, Departure departure, TimeProvider time, ILogger<SpotNoticeWatch> logger) : BackgroundService
{
    /// <summary>What <see cref="DepartureNotice.Reason"/> then is.</summary>
    public const string Reason = "spot interruption";

    /// <summary>Between two looks: EC2 advises five seconds.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private int _looks;

    /// <summary>How often the service has answered or failed to.</summary>
    public int Looks => Volatile.Read(ref _looks);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrWhiteSpace(options.Value.SpotNotices)) return;
        using var http = SpotNotices.Client();
        var notices = new SpotNotices(http, new Uri(options.Value.SpotNotices), time);
        using var timer = new PeriodicTimer(Interval, time);
        string? told = null;
        try
        {
            do
            {
                try
                {
                    if (await notices.AskAsync(stoppingToken) is not { } at) continue;
                    departure.Announce(Reason, at);
                    LogNotice(at);
                    return;
                }
                catch (SpotNoticeException e)
                {
                    // Every five seconds the same line would hide all others.
                    if (told == e.Message) continue;
                    told = e.Message;
                    LogUnanswered(options.Value.SpotNotices, e.Message);
                }
                finally
                {
                    Interlocked.Increment(ref _looks);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The worker stops: nobody needs to know any more.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "EC2 takes this spot instance back at {At:u}: the worker finishes what it computes and takes no more work")]
    private partial void LogNotice(DateTimeOffset at);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether EC2 takes this spot instance back, {Service} does not say: {Why}. It is asked again every five seconds, and the same is not told twice")]
    private partial void LogUnanswered(string service, string why);
}
