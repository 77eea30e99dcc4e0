using System.Net;
using System.Net.Sockets;
using Lab.Testing;

namespace Lab.Worker.Tests.ModelCommands;

public sealed class InterruptedTests
{
    [Fact]
    public async Task Pull_TwoSignalsAtOnce_EndsWithoutATrace()
    {
        // A hub that takes the question and says nothing.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var pull = ChildProcess.Start("dotnet", [WorkerProgram.Path, "model", "pull", "some/model"], new Dictionary<string, string?>
        {
            ["HF_ENDPOINT"] = $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}",
            ["HF_TOKEN"] = null,
        });
        using var question = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);

        // Two of a kind might arrive as one.
        pull.Signal(ChildProcess.Terminate);
        pull.Signal(ChildProcess.Interrupt);
        await pull.WaitForExitAsync();

        Assert.Equal((143, "error: interrupted"), (pull.ExitCode, pull.Error));
    }
}
