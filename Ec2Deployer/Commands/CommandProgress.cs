using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>A command's progress: shown by a writer, and every action kept in the audit log.</summary>
/// <param name="writer">Shows it; disposed with this.</param>
/// <param name="directory">Where the audit log is.</param>
/// <param name="time">The clock.</param>
internal sealed class CommandProgress(IProgressWriter writer, DeploymentDirectory directory, TimeProvider time) : IProgressSink, IDisposable
{
    private int _steps;
    private int _unwritten;

    /// <inheritdoc/>
    public IProgressStep Begin(string title, string? host = null)
    {
        var step = new ProgressStep(writer, time, Interlocked.Increment(ref _steps), title, host);
        writer.Begin(step);
        return step;
    }

    /// <inheritdoc/>
    public void Note(string message) => writer.Note(message);

    /// <inheritdoc/>
    public void Audit(string action, string subject)
    {
        try
        {
            directory.Audit(time.GetUtcNow(), action, subject);
        }
        catch (DeploymentException e)
        {
            // What was done is done, and 'destroy' in particular must go on.
            if (Interlocked.Exchange(ref _unwritten, 1) == 0) writer.Note($"The audit log has gaps. {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => writer.Dispose();
}

/// <summary>A step of a command.</summary>
/// <param name="writer">Shows it.</param>
/// <param name="time">The clock.</param>
/// <param name="id">Its number in this command, from 1.</param>
/// <param name="title">What it is.</param>
/// <param name="host">Where, or null.</param>
internal sealed class ProgressStep(IProgressWriter writer, TimeProvider time, int id, string title, string? host) : IProgressStep
{
    private readonly long _began = time.GetTimestamp();
    private volatile string _detail = "";
    private int _ended;

    /// <summary>Its number in this command, from 1.</summary>
    public int Id => id;

    /// <summary>What it is.</summary>
    public string Title => title;

    /// <summary>Where, or null.</summary>
    public string? Host => host;

    /// <summary>What it is at, or nothing.</summary>
    public string Detail => _detail;

    /// <summary>How long it has taken.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_began);

    /// <inheritdoc/>
    public void Report(long done, long total) => Say(total switch
    {
        0 => Amount(done),
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{done} of {total}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Amount(done)} of {Amount(total)} ({100 * done / total} %)"),
    });

    /// <inheritdoc/>
    public void Say(string detail)
    {
        _detail = detail;
        writer.Say(this);
    }

    /// <inheritdoc/>
    public void Done(string outcome) => End(succeeded: true, outcome);

    /// <inheritdoc/>
    public void Dispose() => End(succeeded: false, Detail);

    private void End(bool succeeded, string outcome)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0) writer.End(this, succeeded, outcome);
    }

    private static string Amount(long bytes) => bytes < 1_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F0} kB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");
}
