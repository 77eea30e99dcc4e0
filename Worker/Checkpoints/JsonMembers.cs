using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// A JSON object of a model directory, of which nothing is passed over: a member that was not asked for, and is not
/// known to be harmless, is refused by name.
/// </summary>
internal sealed class JsonMembers
{
    private const int ShownChars = 80;

    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _object;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private JsonMembers(string path, string prefix, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object)
            throw new ModelDirectoryException(path, prefix.Length == 0 ? "is not a JSON object" : $"{prefix} is not an object");
        (_path, _prefix, _object) = (path, prefix, value);
    }

    /// <summary>Every member with its value.</summary>
    public IEnumerable<JsonProperty> All => _object.EnumerateObject();

    /// <summary>Reads a file; afterwards each of its members must be known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">A longer file is refused.</param>
    /// <param name="read">Makes the result; what it is given is of no use later.</param>
    /// <exception cref="ModelDirectoryException">The file is no JSON object, or has a member that is not known.</exception>
    public static T ReadFile<T>(string path, int maxBytes, Func<JsonMembers, T> read)
    {
        using var json = JsonFile.Read(path, maxBytes);
        var members = new JsonMembers(path, "", json.RootElement);
        var result = read(members);
        members.RefuseOthers();
        return result;
    }

    /// <summary>The members of an object that has been parsed elsewhere.</summary>
    /// <exception cref="ModelDirectoryException">It is no object.</exception>
    public static JsonMembers Of(string path, JsonElement value) => new(path, "", value);

    /// <summary>A member's value, or null where it is absent or null.</summary>
    public JsonElement? Value(string name)
    {
        _known.Add(name);
        return _object.TryGetProperty(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;
    }

    /// <summary>Whether the member is there, be it null.</summary>
    public bool Has(string name) => _object.TryGetProperty(name, out _);

    /// <summary>A truth value, or null.</summary>
    public bool? Flag(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong($"{Name(name)} is neither true nor false"),
    };

    /// <summary>A text, or null.</summary>
    public string? Text(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw Wrong($"{Name(name)} is not a string"),
    };

    /// <summary>A whole number from 0, or null.</summary>
    public int? Number(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= 0 => number,
        _ => throw Wrong($"{Name(name)} is not a whole number of 31 bits"),
    };

    /// <summary>The elements of an array; none where it is absent or null.</summary>
    public IEnumerable<JsonElement> Array(string name) => Value(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } array => array.EnumerateArray(),
        _ => throw Wrong($"{Name(name)} is not an array"),
    };

    /// <summary>An object, or null.</summary>
    public JsonMembers? Object(string name) => Value(name) is { } value ? Within(name, value) : null;

    /// <summary>An object that stands in a member of this one.</summary>
    public JsonMembers Within(string name, JsonElement value) => new(_path, Name(name), value);

    /// <summary>A member that may be absent or null, and else must have this value.</summary>
    /// <param name="name">The member.</param>
    /// <param name="expected">The value as JSON.</param>
    public void Expect(string name, string expected)
    {
        if (Value(name) is { } value && value.GetRawText() != expected)
            throw Wrong($"{Name(name)} is {Shown(value)}; only {expected} can be served");
    }

    /// <summary>A member that must have this value.</summary>
    /// <param name="name">The member.</param>
    /// <param name="expected">The value as JSON.</param>
    public void Require(string name, string expected)
    {
        if (Value(name) is null) throw Wrong($"{Name(name)} is missing; it must be {expected}");
        Expect(name, expected);
    }

    /// <summary>Passes over members that bear on neither tokens nor numbers.</summary>
    public void PassOver(params IEnumerable<string> names) => _known.UnionWith(names);

    /// <summary>Refuses a member that nobody has asked for.</summary>
    /// <exception cref="ModelDirectoryException">There is one.</exception>
    public void RefuseOthers()
    {
        foreach (var member in All)
        {
            if (!_known.Contains(member.Name))
                throw Wrong($"{Name(member.Name)} is {Shown(member.Value)}, and what that does is not known; remove it if it bears on neither tokens nor numbers");
        }
    }

    /// <summary>An error that names the file.</summary>
    public ModelDirectoryException Wrong(string problem) => new(_path, problem);

    /// <summary>The member's name with those of the objects around it.</summary>
    public string Name(string name) => _prefix.Length == 0 ? name : $"{_prefix}.{name}";

    /// <summary>A value as in messages: no longer than a line can bear.</summary>
    public static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= ShownChars ? text : $"{text.AsSpan(0, ShownChars)}…";
    }
}
