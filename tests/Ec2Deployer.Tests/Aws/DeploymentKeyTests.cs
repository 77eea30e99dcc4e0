using System.Security.Cryptography;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class DeploymentKeyTests : IDisposable
{
    private readonly DeploymentDirectory _directory = new(Directory.CreateTempSubdirectory("lab-key-").FullName, "lab");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_directory.Path)!, recursive: true);

    [Fact]
    public void PublicKey_MadeHere_IsEd25519AndStays()
    {
        var made = DeploymentKey.Ensure(_directory);

        Assert.StartsWith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", made, StringComparison.Ordinal);
        Assert.Equal((made, made), (DeploymentKey.PublicKey(_directory), DeploymentKey.Ensure(_directory)));
    }

    [Fact]
    public void PublicKey_RsaInBothForms_IsTheSame()
    {
        using var rsa = RSA.Create(2048);

        var keys = new[] { rsa.ExportRSAPrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem() }.Select(Written).ToList();

        Assert.StartsWith("ssh-rsa AAAAB3NzaC1yc2E", keys[0], StringComparison.Ordinal);
        Assert.Equal(keys[0], keys[1]);
    }

    [Fact]
    public void PublicKey_NoneThatCanBeUsed_SaysWhyAndWhatCan()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var encrypted = rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Refused(curve.ExportECPrivateKeyPem(), "it is of the kind ecdsa-sha2-nistp256");
        Refused(encrypted, "it is encrypted with a passphrase");
        Refused(OpenSshEncrypted, "it is encrypted with a passphrase");
        Refused("", "it holds no private key");
        Refused("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG", "it holds no private key");
        Refused("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "it holds no private key");
        Refused(rsa.ExportPkcs8PrivateKeyPem()[..600], "it holds no private key");
    }

    private void Refused(string text, string why)
    {
        var error = Assert.Throws<DeploymentException>(() => Written(text));

        Assert.Equal(ExitCode.Usage, error.Code);
        Assert.Contains($"id_ed25519 cannot be used: {why}", error.Message, StringComparison.Ordinal);
        Assert.Contains("ed25519 or RSA", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private string Written(string text)
    {
        _directory.WriteSecret(_directory.PrivateKeyFile, text + "\n");
        return DeploymentKey.PublicKey(_directory)!;
    }

    // ssh-keygen -t ed25519 -N secretsecret: it opens nothing.
    private const string OpenSshEncrypted = """
        -----BEGIN OPENSSH PRIVATE KEY-----
        b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABD9smhqH9
        vkWB2XSsXNSiHdAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILb3UvtwrY9VGdRL
        DhcdCYHcf/Lir7p0moE6TQTvsP/BAAAAkOOJkyLPLHEiZHdmXHCAAw5HATP0K3W7ZUhXHL
        NmXeMlsFJs1pvMQKNDVG0giptojPxwfpiySXA2gk0YPp6M8+PW7kGoQFpMQ7MmhMit7BDP
        U5PEAtBshnfIub1YKNry9xH4yikgHwkEy4I9f/cfQVCgOf0HQYj2a2vGjpve4IUYK1DDbm
        7HJ6I1yz8qifoFuQ==
        -----END OPENSSH PRIVATE KEY-----
        """;
}
