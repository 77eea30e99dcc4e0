using Lab.Ec2Deployer.Aws;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class ConsoleHostKeyTests
{
    private const string Print = "SHA256:lIEMuA3OgxbVk4wgzgKtFKKYgbj9W1QJqsMJJFR8u7g";

    [Theory]
    [InlineData("")]
    [InlineData("ec2: ")]
    [InlineData("<14>Nov 24 10:00:00 cloud-init: ")]
    [InlineData("[   18.512345] cloud-init[512]: ")]
    public void Find_AnyPrefix_FindsTheEd25519Line(string prefix)
    {
        var console = string.Join("\r\n",
        [
            "Debian GNU/Linux 12 host-1 ttyS0",
            $"{prefix}-----BEGIN SSH HOST KEY FINGERPRINTS-----",
            $"{prefix}256 SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA root@host-1 (ECDSA)",
            $"{prefix}256 {Print} root@host-1 (ED25519)",
            $"{prefix}3072 SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB root@host-1 (RSA)",
            $"{prefix}-----END SSH HOST KEY FINGERPRINTS-----",
        ]);

        Assert.Equal(Print, ConsoleHostKey.Find(console));
    }

    [Fact]
    public void Find_LineOutsideABlock_IsNotBelieved() =>
        Assert.Null(ConsoleHostKey.Find($"login: 256 {Print} root@host-1 (ED25519)"));

    [Fact]
    public void Find_BlockNotFinished_WaitsForIt() =>
        Assert.Null(ConsoleHostKey.Find($"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n256 {Print} root@host-1 (ED25519)\n"));

    [Fact]
    public void Find_BlockOfKeysOnly_ComputesTheFingerprint()
    {
        // ssh-keygen -lf says the same of this key.
        const string key = "AAAAC3NzaC1lZDI1NTE5AAAAIMr7VvJ9gq1rVq4Q1P3m2jR1m0pQ3c3zj0rY0cQmQW3v";
        var console = $"-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 {key} root@host-1\n-----END SSH HOST KEY KEYS-----\n";

        Assert.Equal("SHA256:vu/gbypb3MNofilCjfCObxxe2rkiJ6+SI3Pqe77fMUI", ConsoleHostKey.Find(console));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Find_EmptyConsole_FindsNothing(string? console) => Assert.Null(ConsoleHostKey.Find(console));

    [Fact]
    public void Decode_Base64_IsDecoded() => Assert.Equal("hello", ConsoleHostKey.Decode("aGVsbG8="));
}
