using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Planning;

/// <summary>What has to be done so that a part of the deployment bears its tags. Pure.</summary>
internal static class TagActions
{
    /// <summary>Sets what lacks or differs of the first resource's tags, and takes off what is to be absent, on all of them.</summary>
    /// <param name="options">Which tags are to be absent.</param>
    /// <param name="subject">The part's name.</param>
    /// <param name="resources">Identifiers; never empty.</param>
    /// <param name="observed">The first one's tags; null where they are not known, and then nothing is done.</param>
    /// <param name="wanted">What there is to be.</param>
    public static IEnumerable<Ec2Action> Of(
        DeploymentOptions options, string subject, IReadOnlyList<string> resources, IReadOnlyDictionary<string, string>? observed, IEnumerable<Tag> wanted)
    {
        if (observed is null) yield break;
        var tags = wanted.Where(tag => observed.GetValueOrDefault(tag.Key) != tag.Value).ToList();
        if (tags.Count > 0)
        {
            yield return new SimpleAction(ActionKind.Change, subject, $"tags of {resources[0]}: {string.Join(", ", tags.Select(tag => tag.Key))}",
                _ => Ec2Requests.Tag(resources, tags));
        }

        var surplus = options.Tags.Where(tag => tag.Value is null && observed.ContainsKey(tag.Key)).Select(tag => tag.Key).ToList();
        if (surplus.Count > 0)
        {
            yield return new SimpleAction(ActionKind.Change, subject, $"tags of {resources[0]} taken off: {string.Join(", ", surplus)}",
                _ => Ec2Requests.Untag(resources, surplus));
        }
    }
}
