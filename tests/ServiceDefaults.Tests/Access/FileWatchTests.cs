using Lab.ServiceDefaults.Access;
using Microsoft.Extensions.Time.Testing;

namespace Lab.ServiceDefaults.Tests.Access;

public sealed class FileWatchTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");
    private readonly FakeTimeProvider _time = new();

    private string File1 => Path.Combine(_directory.FullName, "file");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Watch_OtherContentOfTheSameSizeAndDate_IsToldOnce()
    {
        Write("one");
        var told = new List<string>();
        using var watch = Watch(told);
        _time.Advance(Interval);
        Write("two");
        for (var i = 0; i < 5; i++) _time.Advance(Interval);
        Assert.Equal(["two"], told);
    }

    [Fact]
    public void Watch_StillBeingWritten_WaitsUntilItRests()
    {
        Write("one");
        var told = new List<string>();
        using var watch = Watch(told);
        foreach (var part in (string[])["", "t", "tw"])
        {
            Write(part);
            _time.Advance(Interval);
        }

        Assert.Empty(told);
        Write("two");
        _time.Advance(Interval);
        _time.Advance(Interval);
        Assert.Equal(["two"], told);
    }

    [Fact]
    public void Watch_NeverAtRest_IsToldAllTheSame()
    {
        Write("one");
        var told = new List<string>();
        using var watch = Watch(told);
        for (var i = 0; i < 8; i++)
        {
            Write($"{i}");
            _time.Advance(Interval);
        }

        Assert.Equal(["3", "7"], told);
    }

    [Fact]
    public void Watch_GoneForAMoment_IsNoChange()
    {
        Write("one");
        var told = new List<string>();
        using var watch = Watch(told);
        File.Delete(File1);
        _time.Advance(Interval);
        Write("one");
        for (var i = 0; i < 3; i++) _time.Advance(Interval);
        Assert.Empty(told);
    }

    [Fact]
    public void Read_WhatIsTooLargeOrNoFile_IsTold()
    {
        Write("12345");
        Assert.Equal("12345", FileContent.Read(File1, maxBytes: 5).Text);
        Assert.Equal($"'{File1}' is larger than 4 bytes.", FileContent.Read(File1, maxBytes: 4).Fault);
        Assert.Equal($"'{_directory.FullName}' is a directory, not a file.", FileContent.Read(_directory.FullName, maxBytes: 4).Fault);
        Assert.Contains("is larger", FileContent.Read("/proc/self/status", maxBytes: 4).Fault, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText("/proc/version"), FileContent.Read("/proc/version", maxBytes: 10_000).Text);
        Assert.True(FileContent.Read("/nonexistent", maxBytes: 4).IsMissing);
    }

    private FileWatch<FileContent> Watch(List<string> told) =>
        new(FileContent.Read(File1, 100), () => FileContent.Read(File1, 100), content => told.Add(content.Text), _time);

    private void Write(string content)
    {
        File.WriteAllText(File1, content);
        File.SetLastWriteTimeUtc(File1, DateTime.UnixEpoch);
    }
}
