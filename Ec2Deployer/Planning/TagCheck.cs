namespace Lab.Ec2Deployer.Planning;

/// <summary>Finds what EC2 would not take as a tag, or the deployer takes for its own.</summary>
internal static class TagCheck
{
    /// <summary>Of the 50 that EC2 allows; the others are the deployer's own and those that services of AWS add.</summary>
    private const int MaxTags = 40;

    private const int MaxKey = 128, MaxValue = 256;

    /// <summary>One sentence for each fault.</summary>
    /// <param name="tags">Values by key; null: the key is to be absent.</param>
    public static IEnumerable<string> Errors(IReadOnlyDictionary<string, string?> tags)
    {
        foreach (var (key, value) in tags)
        {
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase)) yield return $"--tag '{key}': AWS keeps keys that begin with aws: to itself.";
            else if (key.StartsWith("lab:", StringComparison.OrdinalIgnoreCase) || key == LabTags.Name) yield return $"--tag '{key}': this program sets Name and the keys that begin with lab: itself.";
            if (key.Length is 0 or > MaxKey) yield return $"--tag '{key}': a key has 1 to {MaxKey} characters.";
            if (value?.Length > MaxValue) yield return $"--tag '{key}': a value has at most {MaxValue} characters, and this one has {value.Length}.";
            if (key.Concat(value ?? "").Any(char.IsControl)) yield return $"--tag '{key}': a tag is one line of text.";
        }

        if (tags.Values.Count(value => value is not null) is > MaxTags and var count) yield return $"--tag: at most {MaxTags} tags, and these are {count}.";
    }
}
