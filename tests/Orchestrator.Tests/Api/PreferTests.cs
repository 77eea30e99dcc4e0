using Lab.Orchestrator.Api;
using Microsoft.Extensions.Primitives;

namespace Lab.Orchestrator.Tests.Api;

public sealed class PreferTests
{
    [Theory]
    [InlineData("respond-async", true, null)]
    [InlineData("Respond-Async", true, null)]
    [InlineData("respond-async, wait=10", true, 10)]
    [InlineData("wait=10,respond-async", true, 10)]
    [InlineData("respond-async; foo=bar , wait = 7 ; x", true, 7)]
    [InlineData("respond-async=\"\"", true, null)]
    [InlineData("respond-async=true", false, null)]
    [InlineData("wait=\"12\"", false, 12)]
    [InlineData("WAIT=12", false, 12)]
    [InlineData("wait=3, wait=9", false, 3)]
    [InlineData("wait=x, wait=9", false, null)]
    [InlineData("wait", false, null)]
    [InlineData("wait=0", false, null)]
    [InlineData("wait=-1", false, null)]
    [InlineData("wait=1.5", false, null)]
    [InlineData("wait=300", false, 300)]
    [InlineData("wait=301", false, 300)]
    [InlineData("wait=99999999999999999999", false, 300)]
    [InlineData("foo=\"a, respond-async\"", false, null)]
    [InlineData("foo=\"\\\", wait=1\", wait=2", false, 2)]
    [InlineData("return=minimal; respond-async", false, null)]
    [InlineData("", false, null)]
    [InlineData(",, ,", false, null)]
    [InlineData("foo=\"open, respond-async", false, null)]
    public void Parse_OneHeader_TakesWhatItKnows(string header, bool respondAsync, int? wait)
    {
        var prefer = Prefer.Parse(header, TimeSpan.FromMinutes(5));
        Assert.Equal(respondAsync, prefer.RespondAsync);
        Assert.Equal(wait, (int?)prefer.Wait?.TotalSeconds);
    }

    [Fact]
    public void Parse_SeveralHeaders_AreOneList()
    {
        var prefer = Prefer.Parse(new StringValues(["return=minimal", "wait=5", "respond-async, wait=9"]), TimeSpan.FromMinutes(5));
        Assert.Equal(new Prefer(true, TimeSpan.FromSeconds(5)), prefer);
        Assert.Equal(default, Prefer.Parse(StringValues.Empty, TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public void Applied_NamesWhatWasHonoured()
    {
        Assert.Null(Prefer.Applied(false, null));
        Assert.Equal("respond-async", Prefer.Applied(true, null));
        Assert.Equal("wait=5", Prefer.Applied(false, TimeSpan.FromSeconds(5)));
        Assert.Equal("respond-async, wait=5", Prefer.Applied(true, TimeSpan.FromSeconds(5)));
    }
}
