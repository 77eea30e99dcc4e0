using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class HostArchitectureTests
{
    [Theory]
    [InlineData("a1.large", true)]
    [InlineData("t4g.small", true)]
    [InlineData("c6gn.large", true)]
    [InlineData("c8g.large", true)]
    [InlineData("m7gd.large", true)]
    [InlineData("x2gd.medium", true)]
    [InlineData("im4gn.large", true)]
    [InlineData("is4gen.large", true)]
    [InlineData("hpc7g.4xlarge", true)]
    [InlineData("m7i-flex.large", false)]
    [InlineData("g4dn.xlarge", false)]
    [InlineData("gr6.4xlarge", false)]
    [InlineData("i7ie.large", false)]
    [InlineData("u-3tb1.56xlarge", false)]
    public void OfType_GravitonOrNot_IsToldByTheName(string type, bool isArm) =>
        Assert.Equal(isArm ? HostArchitecture.Arm64 : HostArchitecture.X64, HostArchitecture.OfType(type));

    [Theory]
    [InlineData("arm64", "linux-arm64")]
    [InlineData("x86_64", "linux-x64")]
    [InlineData("i386", null)]
    [InlineData("x86_64_mac", null)]
    [InlineData(null, null)]
    public void Find_Ec2sName_IsOneThatImagesCanBeBuiltFor(string? ec2, string? runtime) => Assert.Equal(runtime, HostArchitecture.Find(ec2)?.Runtime);
}
