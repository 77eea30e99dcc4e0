using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lab.AppHost.LocalHost;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.Tests.LocalHost;

/// <summary>A whole AppHost process, with its services, its watchdog and a child of a service, ended in the ways of the world.</summary>
public sealed partial class AppHostProcessTests
{
    [Theory]
    [InlineData("TERM", false)]
    [InlineData("INT", true)]
    public async Task Signal_ToTheHostOrItsWholeGroup_StopsEverythingQuietly(string signal, bool group)
    {
        using var host = await RunningHost.StartAsync();

        await Shell($"kill -{signal} {(group ? "-" : "")}{host.Process.Id}");

        await host.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await host.NothingIsLeftAsync();
        Assert.Equal(0, host.Process.ExitCode);
        await Eventually.TrueAsync(() => host.Output.Contains("Everything is stopped.", StringComparison.Ordinal), () => host.Output);
        Assert.DoesNotContain("next start", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("xception", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigkill_ToTheHost_LeavesNothing()
    {
        using var host = await RunningHost.StartAsync();

        host.Process.Kill();

        await host.NothingIsLeftAsync();
    }

    [Fact]
    public async Task Sigkill_ToTheWatchdogAndThenTheHost_LeavesNothing()
    {
        using var host = await RunningHost.StartAsync();
        var watchdog = host.Watchdog();
        Assert.NotNull(watchdog);

        await Shell($"kill -KILL {watchdog.Value.Id}");
        await Eventually.TrueAsync(() => host.Watchdog() is { } next && next != watchdog, () => "a new watchdog");
        host.Process.Kill();

        await host.NothingIsLeftAsync();
    }

    private static async Task Shell(string command)
    {
        using var shell = Process.Start("sh", ["-c", command]);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, shell.ExitCode);
    }

    private sealed partial class RunningHost : IDisposable
    {
        private readonly StringBuilder _output = new();
        private IReadOnlyList<ProcessIdentity> _family = [];

        private RunningHost()
        {
            // A process group of its own, as a shell would give it.
            var start = new ProcessStartInfo("setsid", [Runtime.Dotnet, typeof(TestService).Assembly.Location, TestAppHost.Argument])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            Process = new Process { StartInfo = start };
            Process.OutputDataReceived += Take;
            Process.ErrorDataReceived += Take;
            Process.Start();
            Process.BeginOutputReadLine();
            Process.BeginErrorReadLine();
        }

        public Process Process { get; }

        public string Output
        {
            get
            {
                lock (_output)
                    return _output.ToString();
            }
        }

        public static async Task<RunningHost> StartAsync()
        {
            var host = new RunningHost();
            await Eventually.TrueAsync(() => host.Output.Contains("All 2 resources are ready", StringComparison.Ordinal), () => host.Output);
            host._family = ProcessIdentity.WithDescendants([ProcessIdentity.Of(host.Process.Id)!.Value]);
            // The host, its watchdog, two services and the child of one.
            Assert.Equal(5, host._family.Count);
            return host;
        }

        public ProcessIdentity? Watchdog()
            => ProcessIdentity.WithDescendants([ProcessIdentity.Of(Process.Id)!.Value])
                .Where(one => File.ReadAllText($"/proc/{one.Id.ToString(CultureInfo.InvariantCulture)}/cmdline").Contains(AppHost.LocalHost.Watchdog.Argument, StringComparison.Ordinal))
                .Cast<ProcessIdentity?>()
                .SingleOrDefault();

        public Task NothingIsLeftAsync()
            => Eventually.TrueAsync(
                () => !_family.Any(one => one.IsAlive) && !Ports().Any(),
                () => string.Join(", ", _family.Where(one => one.IsAlive)) + "\n" + Output);

        public void Dispose()
        {
            foreach (var one in _family.Where(one => one.IsAlive))
                Process.GetProcessById(one.Id).Kill();
            Process.Dispose();
        }

        // Whoever answers at one of the services' addresses is left over, too.
        private IEnumerable<int> Ports()
            => Addresses().Matches(Output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
                .Where(port => System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(one => one.Port == port));

        private void Take(object sender, DataReceivedEventArgs line)
        {
            lock (_output)
                _output.AppendLine(line.Data);
        }

        [GeneratedRegex(@"is ready at http://localhost:(\d+)")]
        private static partial Regex Addresses();
    }
}
