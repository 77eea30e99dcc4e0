using Lab.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Configuration;

namespace Lab.ServiceDefaults.Tests.Telemetry;

/// <summary>The headers of telemetry in a file, for a key that no variable may hold.</summary>
[Collection(nameof(ActivityListeners))]
public sealed class HeadersFileTests : IDisposable
{
    private const string Key = "planted-2f61-key";
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-headers-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task File_OfHeaders_IsSentWithEverySignal()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using (var service = await SampleService.StartAsync($"--OTEL_EXPORTER_OTLP_ENDPOINT={receiver.Grpc}", $"--Telemetry:HeadersFile={Write($"x-otlp-api-key={Key}\n")}"))
        {
            using var response = await service.SendAsync("GET", "/slow");
            Assert.DoesNotContain(service.Log, line => line.Contains(Key, StringComparison.Ordinal));
        }

        Assert.Equal(3, receiver.Paths.Count());
        Assert.All(receiver.Exports, export => Assert.Equal(Key, export.Headers["x-otlp-api-key"]));
    }

    [Fact]
    public void File_BesideTheVariable_IsPassedOver() =>
        Assert.Equal("x-own", Assert.Single(Read(Write($"x-otlp-api-key={Key}"), "x-own=1").Traces!.Headers).Key);

    [Theory]
    [InlineData(null, "Could not find")]
    [InlineData("nonsense of planted-2f61-key", "pair 1 is no name=value")]
    [InlineData("", "more than 16384 bytes")]
    public void File_OfNoUse_IsToldInOneLineAndStopsNothing(string? content, string told)
    {
        var file = content is null ? Path.Combine(_directory, "none") : Write(content.Length == 0 ? new string('x', 20_000) : content);

        var settings = Read(file);

        var fault = Assert.Single(settings.Faults);
        Assert.StartsWith("Telemetry:HeadersFile: ", fault, StringComparison.Ordinal);
        Assert.Contains(told, fault, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, fault, StringComparison.Ordinal);
        Assert.Empty(settings.Traces!.Headers);
    }

    private static TelemetrySettings Read(string file, string? headers = null) => TelemetrySettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9",
        ["OTEL_EXPORTER_OTLP_HEADERS"] = headers,
        ["Telemetry:HeadersFile"] = file,
    }).Build());

    private string Write(string content)
    {
        var file = Path.Combine(_directory, "headers");
        File.WriteAllText(file, content);
        return file;
    }
}
