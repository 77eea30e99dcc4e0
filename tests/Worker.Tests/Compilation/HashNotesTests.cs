using Lab.Testing;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Compilation;

public sealed class HashNotesTests : IDisposable
{
    private const int Digits = 4;

    private readonly TemporaryDirectory _home = new();
    private readonly string _file;
    private readonly string _notes;
    private int _computed;

    public HashNotesTests()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Elsewhere nothing is noted.");
        _file = _home.File("model");
        File.WriteAllText(_file, "abcd");
        _notes = _home.File("notes");
        Directory.CreateDirectory(_notes);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_notes, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => _home.Dispose();

    [Fact]
    public void Get_UnchangedFile_IsHashedOnceForAll()
    {
        Assert.Equal("0001", Get());
        Assert.Equal("0001", Get());
        Assert.Equal(1, _computed);
    }

    [Fact]
    public async Task Get_ChangedInPlaceWithItsOldDate_IsHashedAgain()
    {
        Get();
        var written = File.GetLastWriteTimeUtc(_file);
        await TickAsync(_file);
        using (var file = File.OpenWrite(_file)) file.Write("x"u8);
        File.SetLastWriteTimeUtc(_file, written);

        Assert.Equal("0002", Get());
    }

    [Fact]
    public void Get_ReplacedByAFileOfTheSameSizeAndDate_IsHashedAgain()
    {
        Get();
        var other = _home.File("other");
        File.WriteAllText(other, "efgh");
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(_file));
        File.Move(other, _file, overwrite: true);

        Assert.Equal("0002", Get());
    }

    [Fact]
    public void Get_FileChangedAMomentAgo_IsNotNoted()
    {
        Get(TimeSpan.Zero);

        Assert.Equal("0002", Get(TimeSpan.Zero));
        Assert.Empty(Directory.EnumerateFiles(_notes));
    }

    [Fact]
    public void Get_ChangedWhileItWasRead_IsNotNoted()
    {
        Notes(TimeSpan.FromHours(1)).Get(_file, Digits, () =>
        {
            File.WriteAllText(_file, "abcde");
            return "beef";
        });

        Assert.Empty(Directory.EnumerateFiles(_notes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("000")]
    [InlineData("00012")]
    [InlineData("../x")]
    public void Get_DamagedNote_IsHashedAgainAndNotedAnew(string damage)
    {
        Get();
        File.WriteAllText(Assert.Single(Directory.EnumerateFiles(_notes)), damage);

        Assert.Equal("0002", Get());
        Assert.Equal("0002", Get());
    }

    [Fact]
    public void Get_NotesThatOthersMayWrite_AreNotBelieved()
    {
        Get();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_notes, (UnixFileMode)0b111_111_111);

        Assert.Equal("0002", Get());
    }

    [Fact]
    public void Get_AnotherKindOfHash_IsAnotherNote()
    {
        Get();

        Assert.Equal("beef00", Notes(TimeSpan.FromHours(1)).Get(_file, 6, () => "beef00"));
        Assert.Equal("0001", Get());
    }

    [Fact]
    public void Get_ManyFiles_KeepsTheNewestNotes()
    {
        for (var i = 0; i < 80; i++)
        {
            File.WriteAllText(_file, new string('a', i + 1));
            Get();
        }

        Assert.Equal(64, Directory.EnumerateFiles(_notes).Count());
        Assert.Equal("0080", Get());
    }

    [Fact]
    public async Task Find_EntryDamagedAfterItWasNoted_IsNotWhole()
    {
        var directory = _home.File("cache");
        var cache = new ModelCache(directory, 1 << 20, TimeSpan.FromSeconds(60), TimeProvider.System)
        {
            Notes = new(directory, Later(TimeSpan.FromHours(1))) { NotedFrom = 0 },
        };
        var entry = cache.GetOrAdd("a", making => File.WriteAllText(Path.Combine(making, "model"), "abcd"), TestContext.Current.CancellationToken);
        Assert.NotNull(cache.Find("a"));
        Assert.NotEmpty(Directory.EnumerateFiles(directory, ".hash-*"));
        var model = Path.Combine(entry, "model");
        await TickAsync(model);
        using (var file = File.OpenWrite(model)) file.Write("x"u8);

        Assert.Null(cache.Find("a"));
    }

    private string Get(TimeSpan? later = null) => Notes(later ?? TimeSpan.FromHours(1)).Get(_file, Digits, () => $"{++_computed:D4}");

    // As if the file had been there for as long.
    private HashNotes Notes(TimeSpan later) => new(_notes, Later(later)) { NotedFrom = 0 };

    private static FakeTimeProvider Later(TimeSpan later) => new(DateTimeOffset.UtcNow + later);

    // The clock that dates files stands still for some milliseconds, which notes allow for by taking no new file's; here files are new.
    private Task TickAsync(string path)
    {
        var probe = _home.File("probe");
        return Eventually.TrueAsync(() =>
        {
            File.WriteAllText(probe, "");
            return FileState.Of(probe)!.Value.Changed != FileState.Of(path)!.Value.Changed;
        }, "the clock that dates files has gone on");
    }
}
