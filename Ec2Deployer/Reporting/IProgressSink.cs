namespace Lab.Ec2Deployer.Reporting;

/// <summary>Hears what is being done: shown to people, kept in the audit log. Safe to call from several tasks at once.</summary>
internal interface IProgressSink
{
    /// <summary>Something that takes time begins. Disposed without <see cref="IProgressStep.Done"/>, it has failed.</summary>
    /// <param name="title">What it is, such as <c>waiting for SSH</c>.</param>
    /// <param name="host">Where, or null.</param>
    IProgressStep Begin(string title, string? host = null);

    /// <summary>A remark for people, such as a warning that a host key is not checked.</summary>
    void Note(string message);

    /// <summary>One line for the audit log, for each action that changes something. No secret may be in it.</summary>
    /// <param name="action">What was done, such as <c>docker stack deploy</c>.</param>
    /// <param name="subject">To what: a host, an instance, a group.</param>
    void Audit(string action, string subject);
}

/// <summary>Something under way.</summary>
internal interface IProgressStep : IDisposable
{
    /// <summary>How far it is.</summary>
    /// <param name="done">So much of <paramref name="total"/>, in bytes or pieces.</param>
    /// <param name="total">The whole, or 0 where nobody knows.</param>
    void Report(long done, long total);

    /// <summary>What it is at, such as <c>4 of 5 hosts answer</c>.</summary>
    void Say(string detail);

    /// <summary>It has succeeded.</summary>
    /// <param name="outcome">In a word or two: <c>done</c>, <c>nothing to do</c>, <c>3 created</c>.</param>
    void Done(string outcome = "done");
}
