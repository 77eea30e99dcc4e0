using Lab.AppHost.LocalHost;

namespace Lab.AppHost.Tests.LocalHost;

public sealed class ServiceEnvironmentTests
{
    [Fact]
    public void StartInfo_ResourceWithArguments_GivesThemToTheProgram()
    {
        var resource = DistributedApplication.CreateBuilder([])
            .AddProject<TestService>("task", project => project.ExcludeLaunchProfile = true)
            .WithArgs("run", "--parallel", "5")
            .Resource;

        var start = ServiceEnvironment.StartInfo(resource, development: true, "instance", new Dictionary<string, string>());

        Assert.Equal([resource.Project.TargetPath, "run", "--parallel", "5"], start.ArgumentList);
    }
}
