using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.ServiceDefaults.Access;

namespace Lab.Orchestrator.Tests.Api;

public sealed class HttpsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Start_HttpsWithoutCertificate_MakesOneAndKeepsIt()
    {
        var settings = $"--Https:SelfSignedDirectory={_directory.FullName}";
        var first = await FingerprintAsync(settings);
        var second = await FingerprintAsync(settings);
        Assert.Equal(first, second);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory.FullName, "key.pem")));
        }
    }

    [Fact]
    public async Task Start_HttpsWithCertificate_ServesIt()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=mine", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificatePath, keyPath) = (Path.Combine(_directory.FullName, "c.pem"), Path.Combine(_directory.FullName, "k.pem"));
        await File.WriteAllTextAsync(certificatePath, certificate.ExportCertificatePem(), Cancellation);
        await File.WriteAllTextAsync(keyPath, key.ExportPkcs8PrivateKeyPem(), Cancellation);
        Assert.Equal(certificate.GetCertHashString(HashAlgorithmName.SHA256),
            await FingerprintAsync($"--Https:CertificatePath={certificatePath}", $"--Https:KeyPath={keyPath}"));
    }

    [Fact]
    public async Task Start_CertificateIsNone_IsRefused()
    {
        var path = Path.Combine(_directory.FullName, "c.pem");
        await Assert.ThrowsAsync<CertificateException>(() => FingerprintAsync($"--Https:CertificatePath={path}"));
        await File.WriteAllTextAsync(path, "nothing of the kind", Cancellation);
        await Assert.ThrowsAsync<CertificateException>(() => FingerprintAsync($"--Https:CertificatePath={path}"));
    }

    private static async Task<string> FingerprintAsync(params string[] settings)
    {
        await using var app = OrchestratorApp.Create(["--urls=https://127.0.0.1:0", "--Logging:Console:LogLevel:Default=None", .. settings]);
        await app.StartAsync(Cancellation);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", new Uri(app.Urls.Single()).Port, Cancellation);
        var fingerprint = "";
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) =>
        {
            // Which certificate it is is what the test asks; that nobody vouches for it, it knows.
            fingerprint = certificate!.GetCertHashString(HashAlgorithmName.SHA256);
            return fingerprint.Length > 0;
        });
        await tls.AuthenticateAsClientAsync("localhost");
        return fingerprint;
    }
}
