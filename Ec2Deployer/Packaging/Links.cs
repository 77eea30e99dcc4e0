namespace Lab.Ec2Deployer.Packaging;

/// <summary>Symbolic links among the files that go into images.</summary>
internal static class Links
{
    /// <summary>Whether a path is a link behind which there is no file: it is gone, was never one, or the links lead in a circle.</summary>
    /// <param name="path">The path.</param>
    /// <param name="target">Where the link leads, as it is written.</param>
    public static bool LeadsNowhere(string path, out string target)
    {
        var link = new FileInfo(path);
        target = link.LinkTarget ?? "";
        if (link.LinkTarget is null) return false;
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true };
        }
        catch (IOException)
        {
            return true;
        }
    }
}
