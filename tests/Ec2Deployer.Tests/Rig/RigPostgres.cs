using System.Diagnostics;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>A PostgreSQL server that the hosts of the rig reach, in a directory of its own; nothing is left of it.</summary>
internal sealed class RigPostgres : IAsyncDisposable
{
    private const string User = "lab";
    private static readonly string? Binaries = FindBinaries();
    private readonly string _directory;

    private RigPostgres(string directory) => _directory = directory;

    /// <summary>Why there can be none here, or null.</summary>
    public static string? Obstacle => Binaries is null ? "PostgreSQL is not installed (Debian: apt-get install postgresql)." : null;

    private string Data => Path.Combine(_directory, "data");

    /// <summary>Starts it.</summary>
    /// <param name="password">The password of its one user.</param>
    public static async Task<RigPostgres> StartAsync(string password)
    {
        var server = new RigPostgres(Directory.CreateTempSubdirectory("lab-rig-postgres-").FullName);
        var file = Path.Combine(server._directory, "password");
        await File.WriteAllTextAsync(file, password);
        await RunAsync("chown", "-R", "postgres", server._directory);
        await AsPostgresAsync("initdb", "-A", "scram-sha-256", "-U", User, $"--pwfile={file}", "--no-sync", "-D", server.Data);
        File.Delete(file);
        await File.AppendAllTextAsync(Path.Combine(server.Data, "pg_hba.conf"), "host all all 10.77.0.0/24 scram-sha-256\n");
        await AsPostgresAsync("pg_ctl", "start", "-w", "-D", server.Data, "-l", Path.Combine(server._directory, "log"),
            "-o", $"-k {server._directory} -c listen_addresses={RigNamespace.OwnAddress} -c fsync=off");
        return server;
    }

    /// <summary>How the orchestrators reach it.</summary>
    public static string ConnectionString(string password) => $"Host={RigNamespace.OwnAddress};Username={User};Password={password};Database=postgres;Maximum Pool Size=10";

    public async ValueTask DisposeAsync()
    {
        await AsPostgresAsync("pg_ctl", "stop", "-m", "immediate", "-D", Data);
        Directory.Delete(_directory, recursive: true);
    }

    private static Task AsPostgresAsync(string program, params string[] arguments) =>
        RunAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", Path.Combine(Binaries!, program), .. arguments]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // The server inherits its starter's outputs: a pipe would stay open as long as it runs.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "\"$@\" >/dev/null 2>&1", "sh", program, .. arguments]) { WorkingDirectory = "/tmp" })!;
        await process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }

    private static string? FindBinaries() => !Directory.Exists("/usr/lib/postgresql") ? null
        : Directory.GetDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")));
}
