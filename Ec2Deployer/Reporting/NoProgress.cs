namespace Lab.Ec2Deployer.Reporting;

/// <summary>For calls that only ask.</summary>
internal sealed class NoProgress : IProgressSink
{
    public static readonly NoProgress Instance = new();

    public IProgressStep Begin(string title, string? host = null) => Step.Instance;

    public void Note(string message)
    {
    }

    public void Audit(string action, string subject)
    {
    }

    private sealed class Step : IProgressStep
    {
        public static readonly Step Instance = new();

        public void Report(long done, long total)
        {
        }

        public void Say(string detail)
        {
        }

        public void Done(string outcome = "done")
        {
        }

        public void Dispose()
        {
        }
    }
}
