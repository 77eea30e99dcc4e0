using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Where the sources are from which images are built.</summary>
internal static class SolutionDirectory
{
    private const string Solution = "Lab.sln";

    /// <summary>The nearest directory above this program that holds the solution.</summary>
    /// <exception cref="DeploymentException">There is none: the program was moved away from its sources.</exception>
    public static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, Solution))) return directory.FullName;
        }

        throw new DeploymentException(ExitCode.Failed,
            $"The images are built from sources, and {Solution} is in no directory above {AppContext.BaseDirectory}. Start the deployer from a clone: dotnet run --project Ec2Deployer.");
    }
}
