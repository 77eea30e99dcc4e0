using System.Text.RegularExpressions;

namespace Lab.ServiceDefaults.Tests.Floors;

/// <summary>One use of a folder by another: the file that does it, and both folders, without their project's name.</summary>
internal sealed record Use(string File, string By, string Of);

/// <summary>
/// The folders of a project as floors, the highest first: <c>Api | Page > Jobs > Store, Queue</c>. A folder may use what
/// is below it. Of those beside each other one may use the other (comma), or neither may (bar). A folder inside one
/// that is named here is a part of that, unless it is named itself.
/// </summary>
/// <param name="project">The project's name; its folders are the namespaces <c>Lab.{project}.*</c>.</param>
/// <param name="floors">The floors.</param>
internal sealed partial class House(string project, string floors)
{
    private readonly (string[] Folders, bool AreStrangers)[] _floors = [.. floors
        .Split('>', StringSplitOptions.TrimEntries)
        .Select(floor => (floor.Split([',', '|'], StringSplitOptions.TrimEntries), floor.Contains('|', StringComparison.Ordinal)))];

    /// <summary>The uses in a project's sources that its namespaces tell: <c>using</c> lines, <c>@using</c> lines, and names written out.</summary>
    public IEnumerable<Use> UsesIn(IEnumerable<(string Path, string Text)> sources) =>
        from source in sources
        let folder = Path.GetDirectoryName(source.Path)!.Replace('\\', '/')
        // What lies in no folder puts the folders together, and may use them all.
        where folder.Length > 0
        from Match name in Names().Matches(source.Text)
        where name.Groups["project"].Value == project
        let used = name.Groups["folders"].Value.Replace('.', '/').Trim('/')
        select new Use(source.Path, folder, used);

    /// <summary>What is wrong with the uses, a line for each; none if the floors hold.</summary>
    public IEnumerable<string> Faults(IReadOnlyCollection<Use> uses)
    {
        foreach (var use in uses)
        {
            if (FloorOf(use.By) is not { } by) yield return $"{use.File}: the folder {use.By} stands on no floor";
            else if (FloorOf(use.Of) is { } of && by.Folder != of.Folder && (of.Floor < by.Floor || (of.Floor == by.Floor && _floors[by.Floor].AreStrangers)))
                yield return $"{use.File}: {by.Folder} uses {of.Folder}";
        }

        var pairs = uses.Select(use => (By: FloorOf(use.By)?.Folder, Of: FloorOf(use.Of)?.Folder)).Where(pair => pair.By != pair.Of).ToHashSet();
        foreach (var (by, of) in pairs.Where(pair => pairs.Contains((pair.Of, pair.By)) && string.CompareOrdinal(pair.By, pair.Of) < 0))
            yield return $"{by} and {of} use each other";
    }

    // The longest name that fits: Contracts/Predict before Contracts.
    private (string Folder, int Floor)? FloorOf(string folder) => _floors
        .SelectMany((floor, number) => floor.Folders.Select(name => ((string Folder, int Floor)?)(name, number)))
        .Where(place => $"{folder}/".StartsWith($"{place!.Value.Folder}/", StringComparison.Ordinal))
        .MaxBy(place => place!.Value.Folder.Length);

    [GeneratedRegex(@"(?<!namespace )\bLab\.(?<project>\w+)\.(?<folders>[\w.]+)")]
    private static partial Regex Names();
}
