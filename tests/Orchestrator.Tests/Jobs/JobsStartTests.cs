using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Jobs.Sqlite;
using Lab.Testing;
using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class JobsStartTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-jobs-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("--Jobs:Provider=oracle", "oracle")]
    [InlineData("--Jobs:Provider=postgres", "Jobs:ConnectionString")]
    [InlineData("--Jobs:Retention=0", "Jobs:Retention")]
    [InlineData("--Jobs:Path=/proc/nothing/jobs.db", "/proc/nothing")]
    public async Task Start_WronglyConfigured_SaysSoInOneLineAndExits(string setting, string expected)
    {
        var run = await ServiceProcess.FailAsync("Orchestrator.dll",
            [$"--Jobs:Path={Path.Combine(_directory.FullName, "jobs.db")}", "--Logging:LogLevel:Default=None", setting]);
        Assert.Equal(1, run.Code);
        Assert.Contains(expected, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FileIsNoDatabase_SaysSoAndLeavesIt()
    {
        var path = Path.Combine(_directory.FullName, "notes.txt");
        var notes = string.Concat(Enumerable.Repeat("not a database\n", 1000));
        await File.WriteAllTextAsync(path, notes, Cancellation);
        var run = await ServiceProcess.FailAsync("Orchestrator.dll", [$"--Jobs:Path={path}", "--Logging:LogLevel:Default=None"]);
        Assert.Equal((1, $"orchestrator: Jobs:Path: {path}: this file is not a SQLite database. It must be a file of the orchestrator's, or a new one where this user may write."), (run.Code, Assert.Single(run.ErrorLines)));
        Assert.Equal(notes, await File.ReadAllTextAsync(path, Cancellation));
    }

    [Fact]
    public async Task Open_NewerSchemaOrDirectory_IsRefused()
    {
        var path = Path.Combine(_directory.FullName, "jobs.db");
        await using (var connection = new SqliteConnection($"Data Source={path};Pooling=false"))
        {
            await connection.OpenAsync(Cancellation);
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        Assert.Contains("newer version", Assert.Throws<JobStoreException>(() => SqliteFile.Open(path)).Message, StringComparison.Ordinal);
        Assert.Contains(_directory.FullName, Assert.Throws<JobStoreException>(() => SqliteFile.Open(_directory.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NewFile_IsItsOwnersAloneAndSafe()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = Path.Combine(_directory.FullName, "lab", "jobs.db");
        using var session = SqliteFile.Open(path);
        const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Mine, File.GetUnixFileMode(path));
        Assert.Equal(Mine | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(path)!));
        Assert.Equal("wal", session.Query("PRAGMA journal_mode", row => row.GetString(0)).Single());
        Assert.Equal(2, session.Number("PRAGMA synchronous"));
        Assert.Equal(2, session.Number("PRAGMA auto_vacuum"));
    }
}
