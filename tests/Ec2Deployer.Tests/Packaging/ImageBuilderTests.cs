using System.Net;
using System.Reflection;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class ImageBuilderTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("lab-images-").FullName;

    private static string Sources => typeof(ImageBuilderTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(attribute => attribute.Key == "SolutionDirectory").Value!;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Theory]
    [InlineData("Orchestrator")]
    [InlineData("Worker")]
    public async Task BuildAsync_NoBaseImageNamed_TakesTheOneForWebProgramsWithoutAShellAndWithIcu(string name)
    {
        using var registry = new EmptyRegistry();
        using var http = new HttpClient(registry);
        var project = name == "Worker" ? ContainerProject.Worker : ContainerProject.Orchestrator;

        var failure = await Assert.ThrowsAsync<DeploymentException>(() =>
            new ImageBuilder(Sources, _state, http).BuildAsync(project, baseImage: null, model: null, TestContext.Current.CancellationToken));

        var asked = Assert.Single(registry.Asked);
        Assert.Equal($"/v2/dotnet/aspnet/manifests/{Environment.Version.Major}.0-noble-chiseled-extra", asked.AbsolutePath);
        Assert.Equal("https", asked.Scheme);
        Assert.Contains("of that name and tag (404)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--base-image", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>In every registry's place; it has nothing.</summary>
    private sealed class EmptyRegistry : HttpMessageHandler
    {
        public List<Uri> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));
        }
    }
}
