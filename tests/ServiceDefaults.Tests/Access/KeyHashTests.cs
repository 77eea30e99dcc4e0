using System.Security.Cryptography;
using Lab.ServiceDefaults.Access;

namespace Lab.ServiceDefaults.Tests.Access;

public sealed class KeyHashTests
{
    private const string Key = "key-of-17-letters";

    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData("key-of-17-letters"u8));

    [Fact]
    public void TryParse_KeyOrItsHash_IsTheSame()
    {
        foreach (var value in (string[])[Key, $" {Key}\n", $"sha256:{Hash}", $"SHA256:{Hash.ToUpperInvariant()}"])
        {
            Assert.True(KeyHash.TryParse(value, out var hash), value);
            Assert.Equal(Hash, Convert.ToHexStringLower(hash));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("fifteen-letters")]
    [InlineData("sha256:12")]
    [InlineData("sha256:zz34567890123456789012345678901234567890123456789012345678901234")]
    public void TryParse_Neither_IsFalse(string? value) => Assert.False(KeyHash.TryParse(value, out _));

    [Fact]
    public void TryParse_TooLong_IsFalse()
    {
        Assert.True(KeyHash.TryParse(new('a', 256), out _));
        Assert.False(KeyHash.TryParse(new('a', 257), out _));
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://unix:/run/lab.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://10.0.0.1", false)]
    [InlineData("http://*:80", false)]
    public void IsLoopback_Address_IsOfThisMachineAlone(string address, bool expected) => Assert.Equal(expected, OpenDoorWarning.IsLoopback(address));
}
