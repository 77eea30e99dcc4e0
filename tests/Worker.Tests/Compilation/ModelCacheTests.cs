using System.Runtime.Versioning;
using Lab.Worker.Compilation;

namespace Lab.Worker.Tests.Compilation;

public sealed class ModelCacheTests : IDisposable
{
    private const long Room = 1 << 20;

    private readonly TemporaryDirectory _home = new();
    private int _builds;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Directory => _home.File("models");

    public void Dispose() => _home.Dispose();

    [Fact]
    public void GetOrAdd_Twice_BuildsOnce()
    {
        var first = Get("a");

        Assert.Equal(first, Get("a"));
        Assert.Equal(1, _builds);
        Assert.Equal("a", File.ReadAllText(Path.Combine(first, "model")));
    }

    [Theory]
    [InlineData("model", "b")]
    [InlineData("model", "")]
    [InlineData("model", null)]
    [InlineData("manifest.json", "{")]
    [InlineData("manifest.json", "{}")]
    [InlineData("manifest.json", """{"model":null}""")]
    [InlineData("manifest.json", null)]
    [InlineData("manifest.json", """{"../../a":{"Bytes":1,"Xxh128":""}}""")]
    public void GetOrAdd_Damaged_IsBuiltAgain(string file, string? content)
    {
        var path = Path.Combine(Get("a"), file);
        if (content is null) File.Delete(path);
        else File.WriteAllText(path, content);

        Assert.Equal("a", File.ReadAllText(Path.Combine(Get("a"), "model")));
        Assert.Equal(2, _builds);
        Get("a");
        Assert.Equal(2, _builds);
    }

    [Fact]
    public async Task GetOrAdd_EightAtOnce_OneBuildsAndSevenWait()
    {
        var tasks = Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () => Cache().GetOrAdd("a", Build("a"), Cancellation), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default));

        Assert.Single((await Task.WhenAll(tasks)).Distinct());
        Assert.Equal(1, _builds);
    }

    [Fact]
    public void GetOrAdd_BuildFails_LeavesNothing()
    {
        Assert.Throws<InvalidOperationException>(() => Cache().GetOrAdd("a", making =>
        {
            File.WriteAllText(Path.Combine(making, "model"), "half");
            throw new InvalidOperationException();
        }, Cancellation));

        Assert.Empty(System.IO.Directory.EnumerateDirectories(Directory));
        Get("a");
    }

    [Fact]
    public void GetOrAdd_LeftByACrash_IsRemoved()
    {
        var unfinished = Path.Combine(Directory, $"unfinished-{Guid.NewGuid():N}");
        System.IO.Directory.CreateDirectory(unfinished);
        File.WriteAllText(Path.Combine(unfinished, "model"), "half");

        Get("a");

        Assert.False(System.IO.Directory.Exists(unfinished));
    }

    [Fact]
    public void GetOrAdd_BeyondItsSize_LosesWhatWasUsedLongestAgo()
    {
        const int maxBytes = 2_000;
        var (a, b) = (Get("a", 800, maxBytes), Get("b", 800, maxBytes));
        File.SetLastWriteTimeUtc(CacheManifest.PathIn(a), DateTime.UtcNow.AddHours(-2));
        File.SetLastWriteTimeUtc(CacheManifest.PathIn(b), DateTime.UtcNow.AddHours(-1));
        // Use renews.
        Assert.NotNull(Cache(maxBytes).Find("a"));

        var c = Get("c", 800, maxBytes);

        Assert.Equal([a, c], System.IO.Directory.EnumerateDirectories(Directory).Order());
    }

    [Fact]
    public void GetOrAdd_DirectoriesOfSomebodyElse_AreLeftAlone()
    {
        foreach (var (name, file) in (IEnumerable<(string, string)>)[("models", "model.safetensors"), ("unfinished-novel", "chapter.txt"), ("extension", "manifest.json")])
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, name));
            File.WriteAllText(Path.Combine(Directory, name, file), $$"""{"name":"{{new string(' ', 4_000)}}"}""");
        }

        Get("a", 800, 1_000);

        Assert.Equal(["a", "extension", "models", "unfinished-novel"], System.IO.Directory.EnumerateDirectories(Directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void GetOrAdd_LargerThanTheCache_IsKeptAlone()
    {
        Get("a", 800, 1_000);

        var b = Get("b", 8_000, 1_000);

        Assert.Equal([b], System.IO.Directory.EnumerateDirectories(Directory));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void GetOrAdd_NewDirectory_IsPrivate()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Unix modes.");
        Get("a");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Directory));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void GetOrAdd_DirectoryOpenToOthers_IsRefused()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Unix modes.");
        System.IO.Directory.CreateDirectory(Directory);
        File.SetUnixFileMode(Directory, (UnixFileMode)0b111_111_111);

        Assert.Throws<UnauthorizedAccessException>(() => Get("a"));
        Assert.Equal(0, _builds);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void GetOrAdd_EntryInADirectoryOpenToOthers_IsNotUsed()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Unix modes.");
        Get("a");
        File.SetUnixFileMode(Directory, (UnixFileMode)0b111_111_111);

        Assert.Throws<UnauthorizedAccessException>(() => Get("a"));
    }

    [Fact]
    public void GetOrAdd_LockHeldTooLong_GivesUp()
    {
        Cache().GetOrAdd("a", making => Assert.Throws<TimeoutException>(
            () => new ModelCache(Directory, Room, TimeSpan.Zero, TimeProvider.System).GetOrAdd("b", Build("b"), Cancellation)), Cancellation);

        Assert.Equal(0, _builds);
    }

    private ModelCache Cache(long maxBytes = Room) => new(Directory, maxBytes, TimeSpan.FromSeconds(60), TimeProvider.System);

    private string Get(string key, int bytes = 1, long maxBytes = Room) => Cache(maxBytes).GetOrAdd(key, Build(key, bytes), Cancellation);

    private Action<string> Build(string content, int bytes = 1) => making =>
    {
        Interlocked.Increment(ref _builds);
        File.WriteAllText(Path.Combine(making, "model"), content.PadRight(bytes));
    };
}
