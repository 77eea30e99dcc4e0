using System.Net;
using System.Net.Sockets;
using Lab.ServiceDefaults.Starts;
using Microsoft.Extensions.Configuration;

namespace Lab.ServiceDefaults.Tests;

/// <summary>What is told of a start that failed.</summary>
public sealed class StartFailureTests
{
    [Theory]
    [InlineData("http://localhost:8000", null)]
    [InlineData("https://0.0.0.0:8443/", null)]
    [InlineData("http://*:0", null)]
    [InlineData("http://[::1]:8000", null)]
    [InlineData("http://unix:/run/lab/worker.sock", null)]
    [InlineData("localhost:8000", "is no address to listen on")]
    [InlineData("ftp://localhost:8000", "begins with neither http:// nor https://")]
    [InlineData("http://localhost:8000/lab", "has a path, of which a server cannot have any")]
    [InlineData("http://localhost:8000,http://localhost:8001", "has a path, of which a server cannot have any")]
    [InlineData("http://localhost:65536", "has a port that is not from 0 to 65535")]
    [InlineData("http://localhost:80a0", "has no host and port that could be read")]
    [InlineData("http://:8000", "is no address to listen on")]
    public void FaultOf_AnAddress_TellsWhatIsWrong(string url, string? fault) => Assert.Equal(fault, StartChecks.FaultOf(url));

    [Fact]
    public void Explain_PrivilegedPort_NamesSettingAddressAndWayOut()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("urls", "http://localhost:80")]).Build();
        var denied = new ListenException(new IPEndPoint(IPAddress.Loopback, 80), new SocketException((int)SocketError.AccessDenied));

        var line = StartFailure.Explain(new IOException("Failed to bind to address http://localhost:80.", new AggregateException(denied, denied)), configuration);

        Assert.StartsWith("--urls (ASPNETCORE_URLS): cannot listen on 127.0.0.1:80: ", line, StringComparison.Ordinal);
        Assert.EndsWith("This user may not open ports below 1024: choose a higher one, or allow it (CAP_NET_BIND_SERVICE).", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("System.Int32", "a whole number up to 2147483647, digits only")]
    [InlineData("System.TimeSpan", "a time such as 00:00:30 (hours, minutes, seconds)")]
    [InlineData("Lab.ServiceDefaults.Access.PlainHttp", "Served, Redirected or WithoutKey")]
    public void Explain_ValueOfAnotherType_TellsWhatWouldDo(string type, string expected) => Assert.Equal(
        $"A:B is 'x y'; it must be {expected}.",
        StartFailure.Explain(new InvalidOperationException($"Failed to convert configuration value 'x\ny' at 'A:B' to type '{type}'.", new FormatException()), configuration: null));

    [Fact]
    public void Explain_AnythingElse_IsOneLineWithItsType() => Assert.Equal(
        "NotSupportedException: one two", StartFailure.Explain(new AggregateException(new NotSupportedException("one\ntwo")), configuration: null));
}
