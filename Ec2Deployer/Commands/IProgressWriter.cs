using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Everything that a command writes to standard error, in one form. Safe to call from several tasks at once.</summary>
internal interface IProgressWriter : IDisposable
{
    /// <summary>A step begins.</summary>
    void Begin(ProgressStep step);

    /// <summary>A step's <see cref="ProgressStep.Detail"/> is another.</summary>
    void Say(ProgressStep step);

    /// <summary>A step is over. Called once for each.</summary>
    /// <param name="step">The step.</param>
    /// <param name="succeeded">Whether it was done.</param>
    /// <param name="outcome">In a word or two; what it was at where it failed, or nothing.</param>
    void End(ProgressStep step, bool succeeded, string outcome);

    /// <summary>A remark for people.</summary>
    void Note(string message);

    /// <summary>The command ends with another code than 0.</summary>
    /// <param name="code">What the program ends with.</param>
    /// <param name="message">What failed, and what to do.</param>
    /// <param name="detail">The cause, where it is wanted.</param>
    void Error(ExitCode code, string message, string? detail = null);
}
