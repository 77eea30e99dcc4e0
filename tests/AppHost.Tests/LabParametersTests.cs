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
}
