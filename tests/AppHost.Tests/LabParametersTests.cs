using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lab.Testing;

namespace Lab.AppHost.Tests;

/// <summary>What AppHost says to values that are of no use.</summary>
public sealed class LabParametersTests
{
    [Theory]
    [InlineData("--WorkerCount=0", "WorkerCount: '0' is no whole number from 1 to 64.")]
    [InlineData("--WorkerCount=65", "WorkerCount: '65' is no whole number from 1 to 64.")]
    [InlineData("--WorkerCount=eight", "WorkerCount: 'eight' is no whole number from 1 to 64.")]
    [InlineData("--WorkerCount=", "WorkerCount: '' is no whole number from 1 to 64.")]
    [InlineData("--OrchestratorPort=-1", "OrchestratorPort: '-1' is no whole number from 0 to 65535.")]
    [InlineData("--OrchestratorPort=65536", "OrchestratorPort: '65536' is no whole number from 0 to 65535.")]
    [InlineData("--ModelDirectory=/no/such", "ModelDirectory: there is no directory '/no/such'.")]
    public async Task Start_BadValue_SaysSoInOneLineAndStartsNothing(string argument, string message)
    {
        var run = await ChildProcess.RunAsync("dotnet", [BuildMetadata.Of("AppHost"), argument]);

        Assert.Equal((1, message), (run.Code, run.Error.Trim()));
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "foo", "ASPNETCORE_URLS: 'foo' is no address to listen on; write it like http://localhost:8000.")]
    [InlineData("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "false", "apphost: InvalidOperationException: Unable to configure HTTPS endpoint. No server certificate was specified")]
    [InlineData("Logging__LogLevel__Default", "Loud", "apphost: Logging:LogLevel: Configuration value 'Loud' is not supported. It must be Trace, Debug")]
    public async Task Start_BadVariable_SaysSoInOneLineAndStartsNothing(string name, string value, string message)
    {
        // Whether there is a developer's certificate in a home directory, and so what is wrong first, differs between machines.
        var home = Directory.CreateTempSubdirectory("lab-home-");
        var run = await ChildProcess.RunAsync("dotnet", [BuildMetadata.Of("AppHost"), "--OrchestratorPort=0"], new Dictionary<string, string?>
        {
            ["HOME"] = home.FullName,
            ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{FreePorts.Take()}"),
            [name] = value,
        });
        home.Delete(recursive: true);

        Assert.Equal(1, run.Code);
        Assert.StartsWith(message, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TakenPort_SaysWhichSettingHasIt()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var run = await ChildProcess.RunAsync("dotnet", [BuildMetadata.Of("AppHost"), string.Create(CultureInfo.InvariantCulture, $"--OrchestratorPort={port}")]);

        Assert.Equal((1, string.Create(CultureInfo.InvariantCulture, $"OrchestratorPort: another program listens on port {port}. End it, or choose another port.\n")), (run.Code, run.Error));
    }
}
