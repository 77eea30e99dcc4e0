using Lab.Ec2Deployer.Fleet;

namespace Lab.Ec2Deployer.Tests.Fleet;

public sealed class ServedCertificatesTests
{
    [Theory]
    [InlineData("localhost orchestrator", "orchestrator")]
    [InlineData("localhost", "localhost")]
    [InlineData("*.example.com", "lab.example.com")]
    [InlineData("", "Lab")]
    public void NameIn_Certificate_IsOneThatItIsFor(string names, string expected)
    {
        using var certificate = TlsServer.MakeCertificate(names.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(expected, ServedCertificates.NameIn(certificate.ExportCertificatePem()), ignoreCase: false);
    }

    [Fact]
    public void Write_SeveralCertificates_KeepsAllForTheirOwnerAloneAndTellsTheFirstOnesFingerprint()
    {
        var home = Directory.CreateTempSubdirectory("lab-test-");
        try
        {
            using var one = TlsServer.MakeCertificate("orchestrator");
            using var other = TlsServer.MakeCertificate("host-1");
            var directory = Path.Combine(home.FullName, "lab");

            var files = ClientFiles.Write(directory, "planted-key", [one.ExportCertificatePem(), other.ExportCertificatePem()]);

            Assert.Equal("Authorization: Bearer planted-key\n", File.ReadAllText(files.Authorization));
            Assert.Equal(FleetKeys.Fingerprint(one), ClientFiles.FingerprintIn(directory));
            Assert.Equal(2, File.ReadAllText(files.Certificate!).Split("BEGIN CERTIFICATE").Length - 1);
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files.Authorization));
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
