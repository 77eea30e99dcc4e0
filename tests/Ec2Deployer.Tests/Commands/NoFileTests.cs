using System.Diagnostics;
using System.Net.Sockets;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Pipes, sockets and devices where a file is asked for are refused by name, and not waited for.</summary>
public sealed class NoFileTests : CommandTest
{
    [Theory]
    [InlineData("pipe")]
    [InlineData("socket")]
    [InlineData("device")]
    [InlineData("link to a pipe")]
    public async Task Any_NoFile_IsRefusedAtOnce(string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        await using var session = await Ec2Session.StartAsync();
        var path = Path.Combine(session.Config, "x");
        using var socket = await MakeAsync(path, kind);
        var model = Model(session);
        File.CreateSymbolicLink(Path.Combine(model, "added.json"), path);

        foreach (var verb in (string[])["plan --offline", "publish --hosts 1"])
        {
            foreach (var (option, value) in ((string, string)[])[("--certificate", path), ("--postgres", path), ("--model", model)])
            {
                var result = await RunAsync(session, $"{verb} {option} {value}").WaitAsync(TimeSpan.FromSeconds(30), Interrupt);

                Assert.Equal((int)ExitCode.Usage, result.Code);
                Assert.Contains("it is a pipe, a socket or a device, not a file", result.Error, StringComparison.Ordinal);
                Assert.Contains($"{option} {value} cannot be used", result.Error, StringComparison.Ordinal);
                Assert.Single(result.Error.TrimEnd().Split('\n'));
            }
        }

        var key = await RunAsync(session, $"publish --hosts 1 --ssh-key {path}").WaitAsync(TimeSpan.FromSeconds(30), Interrupt);
        Assert.Equal((int)ExitCode.Usage, key.Code);
        Assert.Contains($"--ssh-key {path} cannot be used: it is a pipe, a socket or a device, not a file. Nothing was changed.", key.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("vocab.txt")]
    [InlineData("README.md")]
    public async Task Plan_PipeInAModel_IsNamed(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        await using var session = await Ec2Session.StartAsync();
        var model = Model(session);
        File.Delete(Path.Combine(model, name));
        using var _ = await MakeAsync(Path.Combine(model, name), "pipe");

        var result = await RunAsync(session, $"plan --model {model}").WaitAsync(TimeSpan.FromSeconds(30), Interrupt);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains($"{name} cannot be used, it is a pipe", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--certificate")]
    [InlineData("--postgres")]
    public async Task Plan_HugeFile_IsNotRead(string option)
    {
        await using var session = await Ec2Session.StartAsync();
        var path = Path.Combine(session.Config, "huge");
        await using (var file = File.Create(path)) file.SetLength(1L << 40);

        var result = await RunAsync(session, $"plan {option} {path}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("it has 1099511627776 bytes, and more than 1048576 are not read", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_EmptyFileAndLinkInAModel_AreFiles()
    {
        await using var session = await Ec2Session.StartAsync();
        var model = Model(session);
        File.WriteAllText(Path.Combine(model, ".gitkeep"), "");
        File.CreateSymbolicLink(Path.Combine(model, "linked.json"), Path.Combine(model, "config.json"));

        var result = await RunAsync(session, $"plan --model {model}");

        Assert.True(result.Code == 0, result.Error);
    }

    private static string Model(Ec2Session session)
    {
        var path = Path.Combine(session.Config, "model");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "config.json"), "{}");
        File.WriteAllText(Path.Combine(path, "vocab.txt"), "[PAD]\n");
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        return path;
    }

    private async Task<Socket?> MakeAsync(string path, string kind)
    {
        switch (kind)
        {
            case "socket":
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Bind(new UnixDomainSocketEndPoint(path));
                return socket;
            case "device":
                File.CreateSymbolicLink(path, "/dev/zero");
                return null;
            case "link to a pipe":
                await PipeAsync($"{path}.pipe");
                File.CreateSymbolicLink(path, $"{path}.pipe");
                return null;
            default:
                await PipeAsync(path);
                return null;
        }
    }

    private async Task PipeAsync(string path)
    {
        using var mkfifo = Process.Start("mkfifo", [path]);
        await mkfifo.WaitForExitAsync(Interrupt);
        Assert.Equal(0, mkfifo.ExitCode);
    }
}
