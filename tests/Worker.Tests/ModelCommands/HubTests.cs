using System.Text;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;
using Lab.Worker.ModelCommands.Hub;
using Spectre.Console;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>A stand-in of the hub, and a directory to pull into.</summary>
public abstract class HubTests : IAsyncLifetime
{
    private protected const string Token = "hf_secret0123456789";

    private protected TemporaryDirectory Target { get; } = new();

    private protected HubServer Hub { get; private set; } = null!;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected byte[] Model
    {
        get => Hub.Files["model.safetensors"];
        set => Hub.Files["model.safetensors"] = value;
    }

    private protected int HeaderEnd => sizeof(ulong) + (int)BitConverter.ToUInt64(Model);

    private protected string Weights => Target.File("model.safetensors");

    private protected string Part => System.IO.Path.Combine(Target.Path, $".pull-{HubServer.Commit}", "model.safetensors.part");

    public async ValueTask InitializeAsync() => Hub = await HubServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        Target.Dispose();
        GC.SuppressFinalize(this);
    }

    // The model in two files.
    private protected string[] Split()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory.File("model.safetensors"), Model);
        using var whole = SafetensorsFile.Open(directory.File("model.safetensors"));
        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string[] names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        foreach (var (name, entries) in names.Zip(whole.Entries.Values.OrderBy(entry => entry.Begin).Chunk((whole.Entries.Count + 1) / 2)))
        {
            var start = entries[0].Begin;
            var header = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(entries.ToDictionary(
                entry => entry.Name, entry => new { dtype = entry.ElementType, shape = entry.Shape, data_offsets = (long[])[entry.Begin - start, entry.End - start] }));
            Hub.Files[name] = [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. entries.SelectMany(entry => whole.Bytes(entry).ToArray())];
            foreach (var entry in entries) map.Add(entry.Name, name);
        }

        Hub.Files.Remove("model.safetensors");
        Hub.Files["model.safetensors.index.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { metadata = new { }, weight_map = map });
        return names;
    }

    // Tensors of the same model in each file; which are where is no matter here.
    private protected void AddShards(params string[] names)
    {
        foreach (var name in names) Hub.Files[name] = Model;
        Hub.Files.Remove("model.safetensors");
        var map = names.Select((name, i) => KeyValuePair.Create($"tensor{i}", name)).ToDictionary();
        Hub.Files["model.safetensors.index.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { metadata = new { }, weight_map = map });
    }

    private protected IEnumerable<string> WeightRanges() => Hub.Requests.Where(request => request.Path == "/cdn/model.safetensors").Select(request => request.Range);

    // The same file with another header, its numbers repeated so that they fit larger elements.
    private protected byte[] Rewrite(Func<string, string> change, int times)
    {
        var header = change(Encoding.UTF8.GetString(Model[8..HeaderEnd]));
        if (times > 1)
            header = System.Text.RegularExpressions.Regex.Replace(header, "\"data_offsets\":\\[(\\d+),(\\d+)\\]", match => $"\"data_offsets\":[{Times(match.Groups[1])},{Times(match.Groups[2])}]");
        var numbers = Enumerable.Repeat(Model[HeaderEnd..], times).SelectMany(bytes => bytes);
        return [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. numbers];

        long Times(System.Text.RegularExpressions.Group number) => times * long.Parse(number.Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    private protected async Task PullAsync(string? token = null, string? output = null, CancellationToken? cancellationToken = null)
    {
        using var client = new HubClient(Hub.Endpoint, token);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) });
        await PullCommand.PullAsync(client, HubServer.Model, "main", output ?? Target.Path, console, cancellationToken ?? Cancellation);
    }

    private protected void AssertWhole()
    {
        Assert.Equal(["config.json", "model.safetensors", "vocab.txt"], Directory.EnumerateFileSystemEntries(Target.Path).Select(System.IO.Path.GetFileName).Order());
        Assert.Equal(Hub.Files["model.safetensors"], File.ReadAllBytes(Weights));
    }

    private protected async Task AssertRefusedAsync(string expected, string? token = null)
    {
        var output = Target.File("a/b");
        var error = await Assert.ThrowsAsync<HubException>(() => PullAsync(token, output));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("someone/tiny", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Target.Path));
    }
}
