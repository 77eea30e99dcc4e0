using Lab.AppHost.LocalHost;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.AppHost.Tests.LocalHost;

/// <summary>Commands and links, declared as AppHost.cs does it.</summary>
public sealed class ResourceCommandTests
{
    private static readonly IDistributedApplicationBuilder Builder = DistributedApplication.CreateBuilder([]);

    [Fact]
    public async Task HttpCommand_EndpointOfAnotherResource_IsPostedTo()
    {
        var posted = new TaskCompletionSource<string>();
        var web = WebApplication.CreateSlimBuilder();
        web.Logging.ClearProviders();
        var app = web.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/workers/{name}/drain", (string name, HttpRequest request) =>
            request.Headers.Authorization != "Bearer secret" ? Results.Unauthorized() : posted.TrySetResult(name) ? Results.NoContent() : Results.Conflict());
        await app.StartAsync(TestContext.Current.CancellationToken);
        var front = Project("front");
        front.Resource.Endpoint!.Port = new Uri(app.Urls.Single()).Port;
        var back = Project("back").WithHttpCommand("/workers/back/drain", "Drain", () => front.GetEndpoint("http"), "drain",
            new() { Description = "drains", PrepareRequest = context => Task.FromResult(context.Request.Headers.Authorization = new("Bearer", "secret")) });
        var command = Assert.Single(back.Resource.Commands);

        var keyless = await Project("keyless").WithHttpCommand("/workers/back/drain", "Drain", () => front.GetEndpoint("http")).Resource.Commands.Single().RunAsync(TestContext.Current.CancellationToken);
        var first = await command.RunAsync(TestContext.Current.CancellationToken);
        var second = await command.RunAsync(TestContext.Current.CancellationToken);
        await app.DisposeAsync();
        var third = await command.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("drain", "Drain", "drains"), (command.Name, command.DisplayName, command.Description));
        Assert.Equal((false, "POST /workers/back/drain was answered 401 Unauthorized"), (keyless.Success, keyless.Message));
        Assert.True(first.Success);
        Assert.Equal("back", await posted.Task);
        Assert.Equal((false, "POST /workers/back/drain was answered 409 Conflict"), (second.Success, second.Message));
        Assert.False(third.Success);
        Assert.Contains("refused", third.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CodeThatThrows_IsAFailureWithItsMessage()
    {
        var resource = Project("thrower").WithCommand("throw", "Throw", _ => throw new InvalidOperationException("no such thing")).Resource;

        var result = await resource.Commands.Single().RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal((false, "no such thing"), (result.Success, result.Message));
    }

    [Fact]
    public void Urls_ChangedAndAdded_AreWholeAddresses()
    {
        var resource = Project("linked")
            .WithUrlForEndpoint("http", url => url.DisplayText = "Page")
            .WithUrlForEndpoint("http", _ => new() { Url = "/scalar", DisplayText = "API" })
            .Resource;
        resource.Endpoint!.Port = 1234;

        Assert.Equal([("http://localhost:1234/", "Page"), ("http://localhost:1234/scalar", "API")], resource.Urls().Select(link => (link.Url, link.DisplayText)));
    }

    [Fact]
    public void GetEndpoint_NoSuchName_SaysSo()
        => Assert.Equal("named has no endpoint 'https'.", Assert.Throws<InvalidOperationException>(() => Project("named").GetEndpoint("https")).Message);

    private static IResourceBuilder<ProjectResource> Project(string name)
    {
        lock (Builder)
            return Builder.AddProject<TestService>(name, project => project.ExcludeLaunchProfile = true).WithHttpEndpoint();
    }
}
