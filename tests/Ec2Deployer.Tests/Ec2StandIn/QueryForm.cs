using Microsoft.AspNetCore.Http;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>A request of the EC2 Query protocol: names with dots and numbers from 1.</summary>
internal sealed class QueryForm(IReadOnlyDictionary<string, string> fields, string prefix = "")
{
    public static async Task<QueryForm> ReadAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        return new QueryForm(form.ToDictionary(field => field.Key, field => field.Value.ToString()));
    }

    /// <summary>All fields, as sent.</summary>
    public IReadOnlyDictionary<string, string> Fields => fields;

    public string? this[string name] => fields.GetValueOrDefault(prefix + name);

    public string Required(string name) =>
        this[name] ?? throw new Ec2Fault("MissingParameter", $"The request must contain the parameter {name}");

    /// <summary><c>Name.1</c>, <c>Name.2</c>, …</summary>
    public IReadOnlyList<string> List(string name)
    {
        var list = new List<string>();
        while (this[$"{name}.{list.Count + 1}"] is { } value) list.Add(value);
        return list;
    }

    /// <summary><c>Name.1.X</c>, <c>Name.2.X</c>, …</summary>
    public IReadOnlyList<QueryForm> Structures(string name)
    {
        var list = new List<QueryForm>();
        while (true)
        {
            var start = $"{prefix}{name}.{list.Count + 1}.";
            if (!fields.Keys.Any(key => key.StartsWith(start, StringComparison.Ordinal))) return list;
            list.Add(new QueryForm(fields, start));
        }
    }

    public Dictionary<string, string> Tags(string resourceType) => Structures("TagSpecification")
        .Where(specification => specification["ResourceType"] == resourceType)
        .SelectMany(specification => specification.Structures("Tag"))
        .ToDictionary(tag => tag.Required("Key"), tag => tag["Value"] ?? "");

    /// <summary>Whether a resource with these tags and values passes all filters.</summary>
    /// <param name="tags">The resource's tags.</param>
    /// <param name="value">The resource's value of a filter's name; null: the stand-in does not know the filter.</param>
    public bool Passes(IReadOnlyDictionary<string, string> tags, Func<string, string?> value) => Structures("Filter").All(filter =>
    {
        var name = filter.Required("Name");
        if (name == "tag-key") return filter.List("Value").Any(tags.ContainsKey);
        var own = name.StartsWith("tag:", StringComparison.Ordinal)
            ? tags.GetValueOrDefault(name[4..]) ?? "\0"
            : value(name) ?? throw new Ec2Fault("InvalidParameterValue", $"The filter '{name}' is invalid");
        return filter.List("Value").Any(pattern => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, own, ignoreCase: false));
    });
}
