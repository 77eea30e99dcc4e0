using Lab.Testing;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;

namespace Lab.Worker.Tests.Checkpoints;

/// <summary>What stands in a model file's place, or in that of a file of texts, and is no such file.</summary>
public sealed class RegularFileTests : IDisposable
{
    private static readonly string[] Files = ["config.json", "vocab.txt", "tokenizer_config.json", "model.safetensors", "texts.tsv"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly TemporaryDirectory _directory = TestModels.Write(TestModels.Small);

    public RegularFileTests()
    {
        File.WriteAllText(_directory.File("tokenizer_config.json"), "{}");
        File.WriteAllText(_directory.File("texts.tsv"), "label\ttext\n0\ta\n");
    }

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, string, string> Kinds()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (var file in (string[])[.. Files, "tokenizer.json", "added_tokens.json", "special_tokens_map.json"])
        {
            rows.Add(file, "pointer", "is a Git LFS pointer in the file's place; \"git lfs pull\" in its repository fetches the file");
            rows.Add(file, "link to a device", "is a pipe, a socket or a device, not a file");
            rows.Add(file, "pipe", "is a pipe, a socket or a device, not a file");
            rows.Add(file, "directory", "is a directory, not a file");
            rows.Add(file, "link to nothing", "is a link to /no/such/file, which does not exist");
            rows.Add(file, "link to itself", "cannot be read: ");
            rows.Add(file, "huge", " bytes; more than ");
            rows.Add(file, "unreadable", "may not be read by this user");
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Read_NoSuchFile_OneLineThatNamesIt(string file, string kind, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        Assert.SkipWhen(kind is "unreadable" && Environment.IsPrivilegedProcess && UnreadableToRoot is null, "Nothing is unreadable to root here.");
        await PutAsync(_directory.File(file), kind);

        // Whoever waits for a pipe's other end would wait for ever.
        var error = await Assert.ThrowsAsync<ModelDirectoryException>(() => Task.Run(Read, Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation));

        Assert.StartsWith($"{_directory.File(file)}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("model.safetensors", "pipe")]
    [InlineData("config.json", "link to a device")]
    [InlineData("vocab.txt", "pointer")]
    [InlineData("texts.tsv", "link to a device")]
    public async Task Program_NoSuchFile_OneLineAndAnExitCode(string file, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        await PutAsync(_directory.File(file), kind);

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "eval", _directory.Path, _directory.File("texts.tsv"));

        Assert.Equal((ModelCommand.FailureExitCode, ""), (code, output));
        Assert.StartsWith($"error: {_directory.File(file)}: is a ", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LinksToFiles_AreFollowed()
    {
        // As in the hub's own cache.
        foreach (var file in Files)
        {
            File.Move(_directory.File(file), _directory.File($"{file}.blob"));
            File.CreateSymbolicLink(_directory.File(file), $"{file}.blob");
        }

        Read();
    }

    [Fact]
    public void Bytes_FileShortenedWhileItIsOpen_IsRefusedUntouched()
    {
        using var weights = SafetensorsFile.Open(_directory.File("model.safetensors"));
        using (var file = new FileStream(weights.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(8192);

        var error = Assert.Throws<ModelDirectoryException>(() => weights.Bytes(weights.Entries["classifier.bias"]).ToArray());

        Assert.Equal($"{weights.Path}: was shortened from {weights.FileBytes} to 8192 bytes while it was read", error.Message);
    }

    [Theory]
    [InlineData("{\"id2label\":{\"0\":\"\\ud800\",\"1\":\"b\"}}", "half of a surrogate pair")]
    [InlineData("{\"\\udc00\":1}", "half of a surrogate pair")]
    [InlineData("{\"id2label\":{\"0\":\"\u00FF\",\"1\":\"b\"}}", "not valid UTF-8")]
    public void JsonFile_StringThatCannotBeRead_IsRefused(string json, string expected)
    {
        File.WriteAllBytes(_directory.File("config.json"), System.Text.Encoding.Latin1.GetBytes(json));

        Assert.Contains(expected, Assert.Throws<ModelDirectoryException>(() => EncoderConfig.Read(_directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void JsonFile_ByteOrderMark_IsPassedOver()
    {
        File.WriteAllText(_directory.File("config.json"), File.ReadAllText(_directory.File("config.json")), System.Text.Encoding.UTF8);

        Assert.Equal(TestModels.Small.Dim, EncoderConfig.Read(_directory.Path).Dim);
    }

    private void Read()
    {
        LoadedModel.Check(_directory.Path);
        LabelledTexts.Read(_directory.File("texts.tsv"), TestModels.Small.Labels);
    }

    // The kernel lets nobody read these, which are there to be written.
    private static string? UnreadableToRoot { get; } =
        Directory.Exists("/sys/bus") ? Directory.EnumerateDirectories("/sys/bus").Select(bus => Path.Combine(bus, "drivers_probe")).FirstOrDefault(File.Exists) : null;

    private static async Task PutAsync(string path, string kind)
    {
        File.Delete(path);
        switch (kind)
        {
            case "pointer":
                File.WriteAllText(path, $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('0', 64)}\nsize 267832558\n");
                break;
            case "link to a device":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            case "pipe":
                Assert.Equal(0, (await ChildProcess.RunAsync("mkfifo", [path])).Code);
                break;
            case "directory":
                Directory.CreateDirectory(path);
                break;
            case "link to nothing":
                File.CreateSymbolicLink(path, "/no/such/file");
                break;
            case "link to itself":
                File.CreateSymbolicLink(path, path);
                break;
            case "huge":
                using (var file = File.OpenWrite(path)) file.SetLength(1L << 42);
                break;
            case "unreadable" when Environment.IsPrivilegedProcess:
                File.CreateSymbolicLink(path, UnreadableToRoot!);
                break;
            default:
                File.WriteAllText(path, "");
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);
                break;
        }
    }
}
