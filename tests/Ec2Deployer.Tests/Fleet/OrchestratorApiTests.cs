using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Fleet;

public sealed class OrchestratorApiTests
{
    [Fact]
    public void Request_Text_CountsItsBytes() => Assert.Equal(
        "POST /new_request HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer key\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nü",
        OrchestratorApi.Request("POST", "/new_request", "ü", "key"));

    [Fact]
    public void Line_AnyCall_GoesThroughTheSocketInTheContainerAndHoldsNoKey()
    {
        var line = OrchestratorApi.Line("lab", 3);

        Assert.Contains("name=lab_orchestrator --filter health=healthy", line, StringComparison.Ordinal);
        Assert.EndsWith(" /proc/$process/root/tmp/health.sock 3'", line, StringComparison.Ordinal);
        Assert.DoesNotContain("INET", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}", 200, "{}")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "")]
    [InlineData("", 0, "")]
    [InlineData("torn", 0, "")]
    public void Answer_Text_GivesStatusAndBody(string text, int status, string body) => Assert.Equal((status, body), OrchestratorApi.Answer(text));
}
