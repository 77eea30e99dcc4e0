namespace Lab.AppHost.Tests.LocalHost;

/// <summary>An AppHost for tests, written as AppHost.cs is: two services, one of which waits for the other.</summary>
internal static class TestAppHost
{
    public const string Argument = "--test-apphost";

    public static int Run(string[] args)
    {
        var builder = DistributedApplication.CreateBuilder(args);
        var back = builder.AddProject<TestService>("back", project => project.ExcludeLaunchProfile = true)
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health")
            .WithEnvironment(TestService.Variable, "child");
        builder.AddProject<TestService>("front", project => project.ExcludeLaunchProfile = true)
            .WithHttpEndpoint()
            .WithExternalHttpEndpoints()
            .WithHttpHealthCheck("/health")
            .WithEnvironment(TestService.Variable, "")
            .WithReference(back)
            .WaitFor(back);
        builder.Build().Run();
        return Environment.ExitCode;
    }
}
