using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What hosts cost and when they end, for people.</summary>
internal static class LifeText
{
    // Hosts are started one after another: ends that lie so near are one.
    private static readonly TimeSpan Same = TimeSpan.FromMinutes(10);

    /// <summary>The last line of a publish: when its hosts end by themselves, or that nothing ends them and what that costs.</summary>
    /// <param name="context">The command.</param>
    /// <param name="plan">The plan that was executed.</param>
    /// <param name="before">What there was before.</param>
    public static void AfterPublish(CommandContext context, DeploymentPlan plan, DeploymentSnapshot before)
    {
        var now = context.Time.GetUtcNow();
        var ends = plan.Hosts.Select(host => host.InstanceId is { } id && before.Instances.FirstOrDefault(instance => instance.Id == id) is { } kept
            ? HostEnd.Of(kept)
            : plan.Options.End ?? now + plan.Options.Ttl).ToList();
        var named = ReportText.Named(context);
        var price = Money.PerHour(plan.Cost, plan.Options.Region);
        var text = ends.Contains(null)
            ? $"Nothing ends {(ends.TrueForAll(end => end is null) ? "these hosts" : "all of these hosts")} by itself, and they cost {price}: 'ttl 4h{named}' sets an end, after 'stop{named}' only disks and Elastic IP addresses cost, 'destroy{named}' removes everything."
            : $"These hosts end by themselves at {HostEnd.Text(ends.Max()!.Value)}, and cost {price} until then: 'ttl +2h{named}' puts the end off, 'ttl never{named}' takes it off.";
        if (context.Screen.IsJson) context.Progress.Note(text);
        else context.Screen.Line($"\n{text}");
    }

    /// <summary>When hosts end, as a part of a sentence.</summary>
    /// <param name="instances">Those that have not ended.</param>
    /// <param name="now">The present moment.</param>
    public static string Ends(IReadOnlyList<ObservedInstance> instances, DateTimeOffset now)
    {
        if (instances.Count == 0) return "no host is left";
        var isStopped = instances.All(instance => instance.State is "stopped" or "stopping");
        var ends = instances.Select(HostEnd.Of).OfType<DateTimeOffset>().Order().ToList();
        if (ends.Count == 0) return isStopped ? "nothing ends it while it is stopped" : "nothing ends it by itself";
        var (first, last) = (ends[0], ends[^1]);
        var when = last - first < Same ? Moment(last, now) : $"{Moment(first, now)} to {Moment(last, now)}";
        if (isStopped) return $"stopped, so that its end ({when}) does not come";
        var endless = instances.Where(instance => HostEnd.Of(instance) is null).Select(instance => instance.Host).ToList();
        return $"ends {when}{(endless.Count == 0 ? "" : $", but nothing ends {string.Join(", ", endless)}")}";
    }

    private static string Moment(DateTimeOffset end, DateTimeOffset now) =>
        $"{HostEnd.Text(end)} ({(end > now ? $"in {Durations.Text(end - now)}" : "has passed")})";
}
