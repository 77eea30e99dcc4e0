using System.Runtime.CompilerServices;

namespace Lab.Ec2Deployer.Tests.Snapshots;

/// <summary>
/// Compares text with a file of this directory. <c>UPDATE_SNAPSHOTS=1</c> writes the files instead, for a look at
/// what has changed by <c>git diff</c>; a file that is not there is written and fails its test.
/// </summary>
internal static class Snapshot
{
    public static void Matches(string name, string actual)
    {
        var file = Path.Combine(Folder(), name);
        actual = actual.ReplaceLineEndings("\n");
        var missing = !File.Exists(file);
        if (missing || Environment.GetEnvironmentVariable("UPDATE_SNAPSHOTS") == "1") File.WriteAllText(file, actual);
        Assert.False(missing, $"{name} was not there and has been written: look at it and commit it.");
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
