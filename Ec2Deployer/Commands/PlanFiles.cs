using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>A plan as files, for review and for tools that read them. No secret is in any of them.</summary>
/// <param name="directory">Where they go; made where it is missing.</param>
internal sealed class PlanFiles(string directory)
{
    /// <summary>Writes the files over older ones of the same names, and touches no other.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="text">The plan for people: <c>plan.txt</c>.</param>
    /// <param name="document">The plan for machines: <c>plan.json</c>.</param>
    /// <param name="stack">The Docker stack file: <c>stack.yml</c>.</param>
    /// <exception cref="DeploymentException">The directory cannot be written; with <see cref="ExitCode.Usage"/>.</exception>
    public void Write(DeploymentPlan plan, string text, string document, string stack)
    {
        if (directory.Length == 0 || File.Exists(directory)) throw new DeploymentException(ExitCode.Usage, $"--output '{directory}' is no directory.");
        try
        {
            Write("plan.txt", text);
            Write("plan.json", document);
            Write("stack.yml", stack);
            foreach (var host in plan.Hosts) Write(Path.Combine("cloud-init", $"{host.Name}.yaml"), CloudInit.Document(host.Name, plan.Options.Ttl, plan.Options.End));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeploymentException(ExitCode.Usage, $"--output '{directory}' cannot be written: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private void Write(string name, string text)
    {
        var file = Path.Combine(Path.GetFullPath(directory), name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
