using Lab.Testing;

namespace Lab.Orchestrator.Tests;

public sealed class ProgramTests
{
    [Theory]
    [InlineData("later", "InvalidOperationException: out of order")]
    [InlineData("at once", "InvalidOperationException: out of order")]
    [InlineData("canceled", "it was canceled")]
    public async Task Run_ABackgroundServiceFails_EndsWithOneAndSaysWhy(string how, string why)
    {
        var run = await ServiceProcess.FailAsync("Orchestrator.dll",
            ["--Jobs:Path=" + Path.Combine(Path.GetTempPath(), $"lab-{Guid.NewGuid():N}", "jobs.db"), "--Logging:LogLevel:Default=None"], FailingStartup.Environment(how));
        Assert.Equal((1, $"orchestrator: FailingService failed and ended the service: {why}"), (run.Code, Assert.Single(run.ErrorLines)));
    }
}
