using System.Text.Json;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Packaging;

/// <summary>Images that were built before, as far as the deployer can tell: for tests of the program that are about something else.</summary>
internal static class BuiltImages
{
    private const string Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    private const string Tag = "0000000000000000";

    /// <summary>A base image that no registry is asked for.</summary>
    public const string Base = $"localhost:1/base@{Digest}";

    /// <summary>Puts them where the deployer of a deployment keeps its own.</summary>
    /// <param name="state">The deployment's directory.</param>
    public static void Put(string state)
    {
        var images = Directory.CreateDirectory(Path.Combine(state, "images")).FullName;
        foreach (var project in (ContainerProject[])[ContainerProject.Orchestrator, ContainerProject.Worker])
        {
            var fingerprint = SourceFingerprint.Of(SolutionDirectory.Find(), project.Name, [Digest, .. ImageBuilder.PublishArguments(project, "/src", "/artifacts", HostArchitecture.X64)]);
            File.WriteAllText(Path.Combine(images, $"{project.Repository}.built"), $"{fingerprint} {Tag}");
            var image = new PackedImage { Reference = project.Reference(Tag), Tag = Tag, Config = "{}", Layers = [] };
            File.WriteAllText(Path.Combine(images, $"{project.Repository}-{Tag}.json"), JsonSerializer.Serialize(image, PackagingJson.Default.PackedImage));
        }
    }
}
