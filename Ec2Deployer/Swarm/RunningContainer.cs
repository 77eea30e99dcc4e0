using System.Globalization;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>A container of the stack as its host's engine describes it.</summary>
/// <param name="Service">Its service, without the deployment's name.</param>
/// <param name="Spec">The hash of the description that it runs.</param>
/// <param name="Health"><c>healthy</c>, <c>starting</c>, <c>unhealthy</c> or <c>unknown</c>.</param>
/// <param name="StartedAt">Since when, or null.</param>
internal sealed record RunningContainer(string Service, string Spec, string Health, DateTimeOffset? StartedAt)
{
    /// <summary>Reads what the command of <see cref="HostCommands.Containers"/> wrote; lines of other stacks are passed over.</summary>
    public static IEnumerable<RunningContainer> Parse(string deployment, string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Where(words => words.Length == 4 && words[0].StartsWith($"{deployment}_", StringComparison.Ordinal))
            .Select(words => new RunningContainer(words[0][(deployment.Length + 1)..], words[1], words[2],
                DateTimeOffset.TryParse(words[3], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) ? started : null));
}
