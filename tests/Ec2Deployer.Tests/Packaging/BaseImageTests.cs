using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class BaseImageTests
{
    [Theory]
    [InlineData("example.org/dotnet/aspnet:10.0", "example.org", "dotnet/aspnet", "10.0")]
    [InlineData("localhost:5000/base", "localhost:5000", "base", "latest")]
    [InlineData("example.org/a@sha256:12", "example.org", "a", "sha256:12")]
    public void Parse_Reference_GivesItsParts(string reference, string registry, string repository, string target) =>
        Assert.Equal(new BaseImage(registry, repository, target), BaseImage.Parse(reference));

    [Theory]
    [InlineData("aspnet:10.0")]
    [InlineData("dotnet/aspnet")]
    public void Parse_WithoutRegistry_IsRefused(string reference) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<DeploymentException>(() => BaseImage.Parse(reference)).Code);

    [Fact]
    public async Task DigestAsync_NothingListens_SaysWhatToDo()
    {
        using var http = new HttpClient();

        var failure = await Assert.ThrowsAsync<DeploymentException>(() => BaseImage.Parse("localhost:1/base").DigestAsync(http, CancellationToken.None));

        Assert.Contains("--base-image", failure.Message, StringComparison.Ordinal);
    }
}
