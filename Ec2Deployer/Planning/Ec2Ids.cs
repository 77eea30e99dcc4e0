namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// What EC2 calls the parts of a deployment. Until it has named one, a word in angle brackets stands for it, so that a
/// plan can be read before anything exists; no request with such a word in it is ever sent.
/// </summary>
internal sealed class Ec2Ids
{
    private readonly Dictionary<string, string> _known = [];

    /// <summary>The identifier, or a word in angle brackets.</summary>
    /// <param name="part">A group's name, a subnet's zone, <c>VPC</c>, <c>image</c>, …</param>
    public string this[string part]
    {
        get => _known.TryGetValue(part, out var id) ? id : $"<{part}>";
        set => _known[part] = value;
    }

    /// <summary>Whether the text still holds a word in angle brackets.</summary>
    public static bool IsSymbolic(string? text) => text is not null && text.StartsWith('<');
}
