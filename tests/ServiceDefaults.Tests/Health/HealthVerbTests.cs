using Lab.ServiceDefaults.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Tests.Health;

public sealed class HealthVerbTests : IDisposable
{
    private readonly string _socket = Path.Combine(Directory.CreateTempSubdirectory("lab-health-").FullName, "health.sock");
    private readonly string? _before = Environment.GetEnvironmentVariable(HealthVerb.AddressesVariable);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(HealthVerb.AddressesVariable, _before);
        Directory.Delete(Path.GetDirectoryName(_socket)!, recursive: true);
    }

    [Theory]
    [InlineData("health", true)]
    [InlineData("--health", false)]
    public void IsAsked_Arguments_OnlyByTheVerbAlone(string argument, bool expected)
    {
        Assert.Equal(expected, HealthVerb.IsAsked([argument]));
        Assert.False(HealthVerb.IsAsked([argument, "more"]));
    }

    [Theory]
    [InlineData(StatusCodes.Status200OK, 0)]
    [InlineData(StatusCodes.Status503ServiceUnavailable, 1)]
    public async Task Run_ServerOnTheSocket_TellsWhetherItAnswers200(int status, int expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://unix:{_socket}");
        await using var app = builder.Build();
        app.MapGet("/alive", () => Results.StatusCode(status));
        await app.StartAsync(TestContext.Current.CancellationToken);
        Environment.SetEnvironmentVariable(HealthVerb.AddressesVariable, $"http://*:80;http://unix:{_socket}");

        Assert.Equal(expected, await Task.Run(() => HealthVerb.Run("/alive")));
    }

    [Fact]
    public void Run_NobodyListens_Is1()
    {
        Environment.SetEnvironmentVariable(HealthVerb.AddressesVariable, $"http://unix:{_socket}");

        Assert.Equal(1, HealthVerb.Run("/alive"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://localhost:8080")]
    public void Run_NoAddressIsASocket_Is2(string? addresses)
    {
        Environment.SetEnvironmentVariable(HealthVerb.AddressesVariable, addresses);

        Assert.Equal(2, HealthVerb.Run("/alive"));
    }
}
