using System.Globalization;
using System.Net.Sockets;
using Xunit;

namespace Lab.Testing;

/// <summary>nginx or Caddy before a service, as a process of the test's own.</summary>
public sealed class ReverseProxy : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-proxy-");
    private ChildProcess? _process;

    private ReverseProxy(int port) => Port = port;

    /// <summary>Where it listens, on the loopback interface.</summary>
    public int Port { get; }

    /// <summary>What it has written so far.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts nginx. Where it is missing the test is skipped, but not in CI.</summary>
    /// <param name="servers">What stands in its block <c>http</c>, by the port that it is to listen on.</param>
    public static Task<ReverseProxy> StartNginxAsync(Func<int, string> servers)
    {
        ArgumentNullException.ThrowIfNull(servers);
        return StartAsync("/usr/sbin/nginx", "nginx-light", "nginx.conf", (port, directory) => $$"""
            daemon off;
            worker_processes 1;
            pid {{directory}}/nginx.pid;
            error_log stderr warn;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{directory}}/body; proxy_temp_path {{directory}}/proxy; fastcgi_temp_path {{directory}}/fastcgi;
              uwsgi_temp_path {{directory}}/uwsgi; scgi_temp_path {{directory}}/scgi;
              {{servers(port)}}
            }
            """, (directory, file) => ["-p", directory, "-e", "stderr", "-c", file]);
    }

    /// <summary>Starts Caddy. Where it is missing the test is skipped, but not in CI.</summary>
    /// <param name="sites">Its sites, by the port that they are to listen on.</param>
    public static Task<ReverseProxy> StartCaddyAsync(Func<int, string> sites)
    {
        ArgumentNullException.ThrowIfNull(sites);
        return StartAsync("/usr/bin/caddy", "caddy", "Caddyfile", (port, directory) => $$"""
            {
              admin off
              auto_https disable_redirects
              skip_install_trust
              storage file_system {{directory}}/state
            }
            {{sites(port)}}
            """, (_, file) => ["run", "--adapter", "caddyfile", "--config", file]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static async Task<ReverseProxy> StartAsync(string program, string package, string file, Func<int, string, string> configuration, Func<string, string, string[]> arguments)
    {
        Assert.SkipWhen(!File.Exists(program) && Environment.GetEnvironmentVariable("CI") is not "true", $"this test needs {program} (Debian: apt-get install {package})");
        var proxy = new ReverseProxy(FreePorts.Take());
        try
        {
            var directory = proxy._directory.FullName;
            var path = Path.Combine(directory, file);
            await File.WriteAllTextAsync(path, configuration(proxy.Port, directory), TestContext.Current.CancellationToken);
            // What it writes beside its own directory goes there too.
            var environment = new Dictionary<string, string?> { ["HOME"] = directory, ["XDG_CONFIG_HOME"] = directory, ["XDG_DATA_HOME"] = directory };
            var process = proxy._process = ChildProcess.Start(program, arguments(directory, path), environment, directory);
            await Eventually.TrueAsync(() =>
            {
                Assert.False(process.HasExited, string.Create(CultureInfo.InvariantCulture, $"{program} has ended:\n{process.Output}"));
                return IsListeningAsync(proxy.Port);
            }, $"{program} listens", () => process.Output);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> IsListeningAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
