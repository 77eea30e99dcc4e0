using Lab.Orchestrator.Workers;
using Microsoft.Extensions.Configuration;

namespace Lab.Orchestrator.Tests.Workers;

public sealed class WorkerAddressesTests
{
    [Fact]
    public void FromConfiguration_AspiresVariables_AreRead()
    {
        var workers = Read(
            ("services:worker-1:http:0", "http://localhost:5001"),
            ("services:worker-2:http:0", "http://localhost:5002"),
            ("services:database:tcp:0", "tcp://localhost:5432"));
        Assert.Equal(["worker-1", "worker-2"], workers.Keys.Order());
        Assert.Equal(5002, workers["worker-2"].Port);
    }

    [Fact]
    public void FromConfiguration_NamesThatAShellExports_AreTheWorkersNames()
    {
        var workers = Read(("Workers:worker_1", "http://10.0.0.1:8000"), ("Workers:worker2", "http://10.0.0.2:8000"));
        Assert.Equal(["worker_1", "worker2"], workers.Keys.OrderBy(name => name[^1]));
    }

    [Fact]
    public void FromConfiguration_WorkersSection_GoesBeforeServices()
    {
        var workers = Read(("Workers:a", "http://10.0.0.1:8000"), ("services:worker-1:http:0", "http://localhost:5001"));
        Assert.Equal(["a"], workers.Keys);
    }

    [Theory]
    [InlineData("Workers:a", "10.0.0.1:8000", "address of a")]
    [InlineData("Workers:a", "ftp://10.0.0.1", "address of a")]
    [InlineData("Workers:a", "http://10.0.0.1/path", "address of a")]
    [InlineData("Workers:a", "http://user:pw@10.0.0.1", "address of a")]
    [InlineData("Workers:a b", "http://10.0.0.1", "no name")]
    [InlineData("Workers:a\n", "http://10.0.0.1", @"'a\u000a' is no name")]
    public void FromConfiguration_BadEntry_IsNamed(string key, string value, string expected)
    {
        var message = Assert.Throws<WorkerAddressException>(() => Read((key, value))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromConfiguration_OneAddressTwice_IsRefused() =>
        Assert.Throws<WorkerAddressException>(() => Read(("Workers:a", "http://10.0.0.1:80"), ("Workers:b", "http://10.0.0.1")));

    [Theory]
    [InlineData("""{"worker-1":"http://10.0.0.11:8000","worker-2":"http://10.0.0.11:8001"}""", null)]
    [InlineData("""{"worker-1":"http://10.0.0.11:8000","worker-1":"http://10.0.0.12:8000"}""", "listed twice")]
    [InlineData("""["http://10.0.0.11:8000"]""", "expected an object")]
    [InlineData("""{"worker-1":8000}""", "address of worker-1")]
    [InlineData("\uFEFF{\"worker-1\":\"http://10.0.0.11:8000\",\"worker-2\":\"http://10.0.0.11:8001\"}", null)]
    [InlineData("""{"\ud800":"http://10.0.0.11:8000"}""", "not valid Unicode")]
    [InlineData("{", "workers.json")]
    public void FromFile_Content_IsReadOrRefused(string content, string? error)
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        try
        {
            var path = Path.Combine(directory.FullName, "workers.json");
            File.WriteAllText(path, content);
            if (error is null) Assert.Equal(2, WorkerAddresses.FromFile(path).Count);
            else Assert.Contains(error, Assert.Throws<WorkerAddressException>(() => WorkerAddresses.FromFile(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void FromFile_NoFile_IsRefused() =>
        Assert.Throws<WorkerAddressException>(() => WorkerAddresses.FromFile("/nonexistent/workers.json"));

    private static IReadOnlyDictionary<string, Uri> Read(params (string Key, string Value)[] values) =>
        WorkerAddresses.FromConfiguration(new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(v => KeyValuePair.Create(v.Key, (string?)v.Value)))
            .Build());
}
