using System.Net;
using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Fleet;

public sealed class OwnCertificateTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Path.Combine(Directory.CreateTempSubdirectory("lab-certificate-").FullName, "lab");
    private readonly List<string> _notes = [];

    [Fact]
    public void Ensure_None_MakesOneForTheAddressesThatStay()
    {
        var file = OwnCertificate.Ensure(_directory, ["198.51.100.201", "198.51.100.202"], Now, _notes.Add);

        using var made = X509Certificate2.CreateFromPem(File.ReadAllText(file), File.ReadAllText(file));
        var names = made.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["127.0.0.1", "198.51.100.201", "198.51.100.202"], names.EnumerateIPAddresses().Select(address => address.ToString()).Order(StringComparer.Ordinal));
        Assert.True(made.MatchesHostname("orchestrator"));
        Assert.True(made.MatchesHostname("198.51.100.202"));
        Assert.Equal("orchestrator", ServedCertificates.NameIn(made.ExportCertificatePem()));
        Assert.Empty(_notes);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Ensure_Again_KeepsItAndTellsWhatItDoesNotName()
    {
        var file = OwnCertificate.Ensure(_directory, ["198.51.100.201"], Now, _notes.Add);
        var before = File.ReadAllText(file);

        OwnCertificate.Ensure(_directory, ["198.51.100.201"], Now.AddDays(500), _notes.Add);
        Assert.Empty(_notes);
        OwnCertificate.Ensure(_directory, ["198.51.100.201", "198.51.100.202"], Now.AddDays(500), _notes.Add);

        Assert.Equal(before, File.ReadAllText(file));
        Assert.StartsWith("The certificate does not name 198.51.100.202, and stays as it is", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Ensure_AboutToEnd_MakesAnotherAndTellsItsFingerprint()
    {
        var file = OwnCertificate.Ensure(_directory, [], Now, _notes.Add);
        var before = FleetKeys.Fingerprint(File.ReadAllText(file));

        OwnCertificate.Ensure(_directory, [], Now.AddDays(800), _notes.Add);

        var after = FleetKeys.Fingerprint(File.ReadAllText(file));
        Assert.NotEqual(before, after);
        Assert.Contains($"for the one before ends soon: clients have to believe SHA-256 {after}", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Ensure_DeploymentWhoseHostMadeItsOwn_TellsTheChange()
    {
        Directory.CreateDirectory(_directory);
        File.WriteAllText(ClientFiles.CertificateIn(_directory), "what the host made");

        OwnCertificate.Ensure(_directory, [IPAddress.Loopback.ToString()], Now, _notes.Add);

        Assert.Contains("is kept on this machine from now on", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB\n")]
    public void Check_TornFile_IsToldBeforeAnythingIsDone(string text)
    {
        Directory.CreateDirectory(_directory);
        File.WriteAllText(OwnCertificate.FileIn(_directory), text);

        var told = Assert.Throws<DeploymentException>(() => FleetKeys.Check(_directory));

        Assert.Contains($"{OwnCertificate.FileIn(_directory)} cannot be used", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', told.Message);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_directory)!, recursive: true);
}
