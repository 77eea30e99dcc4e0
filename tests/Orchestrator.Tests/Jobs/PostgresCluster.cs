using System.Diagnostics;
using Lab.Orchestrator.Tests.Jobs;
using Lab.Testing;
using Npgsql;

[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A PostgreSQL server of the tests' own, in a directory of its own; nothing is left of it.</summary>
internal sealed class PostgresCluster : IAsyncDisposable
{
    private static readonly string? Binaries = FindBinaries();
    private readonly string _directory;
    private readonly int _port;
    private int _databases;

    private PostgresCluster(string directory, int port)
    {
        _directory = directory;
        _port = port;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts a server, or skips the test where there is none to start.</summary>
    public static async Task<PostgresCluster> StartAsync()
    {
        Assert.SkipWhen(Binaries is null, "PostgreSQL is not installed (Debian: apt-get install postgresql).");
        Assert.SkipWhen(Environment.UserName != "root", "Only root can start PostgreSQL as the user postgres.");
        var directory = Directory.CreateTempSubdirectory("lab-postgres-").FullName;
        await RunAsync("chown", "postgres", directory);
        await AsPostgresAsync("initdb", "-A", "trust", "-U", "lab", "--no-sync", "-D", Path.Combine(directory, "data"));
        var cluster = new PostgresCluster(directory, FreePorts.Take());
        await cluster.StartServerAsync();
        return cluster;
    }

    /// <summary>A new, empty database's connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync(Cancellation);
        return ConnectionString(name);
    }

    // Nothing here turns the machine off: what a killed server has written the kernel still has.
    public Task StartServerAsync() => AsPostgresAsync(
        "pg_ctl", "start", "-w", "-D", Path.Combine(_directory, "data"), "-l", Path.Combine(_directory, "log"),
        "-o", $"-p {_port} -k {_directory} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=off");

    /// <summary>Stops the server as a crash would.</summary>
    public Task StopServerAsync() => AsPostgresAsync("pg_ctl", "stop", "-m", "immediate", "-D", Path.Combine(_directory, "data"));

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(_directory, "data", "postmaster.pid"))) await StopServerAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={_port};Username=lab;Database={database};Maximum Pool Size=20";

    private static Task AsPostgresAsync(string program, params string[] arguments) =>
        RunAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", Path.Combine(Binaries!, program), .. arguments]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // No ChildProcess: the server is to be stopped after a cancelled test, too. It inherits its starter's outputs: a pipe
        // would stay open as long as it runs.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "\"$@\" >/dev/null 2>&1", "sh", program, .. arguments])
        {
            WorkingDirectory = "/tmp",
        })!;
        using var limit = new CancellationTokenSource(Eventually.DefaultLimit);
        await process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.True(process.HasExited, $"Still runs after {Eventually.DefaultLimit}: {program} {string.Join(' ', arguments)}");
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }

    private static string? FindBinaries() => !Directory.Exists("/usr/lib/postgresql") ? null
        : Directory.GetDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")));
}

/// <summary>One server for all tests that do not stop it, started by the first.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private readonly Lazy<Task<PostgresCluster>> _cluster = new(PostgresCluster.StartAsync);

    internal Task<PostgresCluster> Cluster => _cluster.Value;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster.IsValueCreated && _cluster.Value.IsCompletedSuccessfully) await (await _cluster.Value).DisposeAsync();
    }
}
