using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class DeploymentOptionsCheckTests
{
    [Fact]
    public void Errors_Defaults_AreNone() => Assert.Empty(DeploymentOptionsCheck.Errors(new()));

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("203.0.113.255/25", "203.0.113.128/25")]
    [InlineData("1", null)]
    [InlineData("0x7f.0.0.1", null)]
    [InlineData("010.0.0.1", null)]
    [InlineData("10.0.0.1/33", null)]
    [InlineData("10.0.0.1/", null)]
    [InlineData("10.0.0.1/-1", null)]
    [InlineData("::1/128", null)]
    [InlineData(" 10.0.0.1", null)]
    public void Cidr_AnyText_IsEc2sFormOrNone(string text, string? expected) => Assert.Equal(expected, DeploymentOptionsCheck.Cidr(text));

    [Theory]
    [InlineData("lab", true)]
    [InlineData("a", true)]
    [InlineData("course-2026-group-7", true)]
    [InlineData("", false)]
    [InlineData("Lab", false)]
    [InlineData("7up", false)]
    [InlineData("lab-", false)]
    [InlineData("sg-1", false)]
    [InlineData("lab/../..", false)]
    [InlineData("abcdefghijklmnopqrstuvwxy", false)]
    public void Errors_Name_IsSafeInPathsAndAtEc2(string name, bool good) =>
        Assert.Equal(good, DeploymentOptionsCheck.Errors(new() { Name = name }).Count == 0);

    [Theory]
    [InlineData("m4.large", true)]
    [InlineData("c7i-flex.large", true)]
    [InlineData("u-3tb1.56xlarge", true)]
    [InlineData("m7g.large", true)]
    [InlineData("t4g.micro", true)]
    [InlineData("a1.large", true)]
    [InlineData("g5.xlarge", true)]
    [InlineData("large", false)]
    public void Errors_InstanceType_IsOne(string type, bool good) =>
        Assert.Equal(good, DeploymentOptionsCheck.Errors(new() { InstanceType = type }).Count == 0);

    [Theory]
    [InlineData("4h", 240)]
    [InlineData("1d12h", 2160)]
    [InlineData("45m", 45)]
    [InlineData("", null)]
    [InlineData("4", null)]
    [InlineData("4h ", null)]
    [InlineData("-4h", null)]
    public void Durations_Parse_ReadsWhatPeopleWrite(string text, int? minutes) => Assert.Equal(minutes, Durations.Parse(text)?.TotalMinutes);

    [Theory]
    [InlineData("4h")]
    [InlineData("1d12h")]
    [InlineData("1h30m")]
    public void Durations_Text_ReadsBack(string text) => Assert.Equal(text, Durations.Text(Durations.Parse(text)!.Value));
}
