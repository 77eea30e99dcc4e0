using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.ServiceDefaults.Access;
using Lab.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

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

    [Fact]
    public async Task Serving_CertificateRenewed_ServesItWithoutRestart()
    {
        using var mount = new KubernetesMount();
        var (first, second) = (Make("first"), Make("second"));
        await mount.SetAsync(("tls.crt", first.Certificate), ("tls.key", first.Key));
        var log = new RememberedLog();
        await using var app = await StartAsync(log, $"--Https:CertificatePath={mount.PathOf("tls.crt")}", $"--Https:KeyPath={mount.PathOf("tls.key")}");
        Assert.Equal(first.Fingerprint, await FingerprintAsync(app));

        // Half of it: the certificate without its key, and then nothing that is one.
        await mount.SetAsync(("tls.crt", second.Certificate), ("tls.key", first.Key));
        await UntilLoggedAsync(log, "kept as it was: the certificate for https cannot be had: the key in");
        Assert.Equal(first.Fingerprint, await FingerprintAsync(app));
        await mount.SetAsync(("tls.crt", second.Certificate[..200]), ("tls.key", second.Key));
        await UntilLoggedAsync(log, "hold no certificate and unencrypted key in PEM");
        Assert.Equal(first.Fingerprint, await FingerprintAsync(app));

        await mount.SetAsync(("tls.crt", second.Certificate), ("tls.key", second.Key));
        await Eventually.TrueAsync(async () => await FingerprintAsync(app) == second.Fingerprint, "the new certificate is served", () => string.Join('\n', log.Messages));
        await UntilLoggedAsync(log, "HTTPS with a renewed certificate");
        Assert.All(log.Messages, message => Assert.DoesNotContain('\n', message));
    }

    [Fact]
    public async Task Start_KeyOfAnotherCertificate_IsRefusedInOneLine()
    {
        var (certificate, key) = (Path.Combine(_directory.FullName, "c.pem"), Path.Combine(_directory.FullName, "k.pem"));
        await File.WriteAllTextAsync(certificate, Make("one").Certificate, Cancellation);
        await File.WriteAllTextAsync(key, Make("other").Key, Cancellation);
        var refusal = await Assert.ThrowsAsync<CertificateException>(() => FingerprintAsync($"--Https:CertificatePath={certificate}", $"--Https:KeyPath={key}"));
        Assert.Equal($"Https:CertificatePath '{certificate}' with Https:KeyPath '{key}': the certificate for https cannot be had: the key in '{key}' is not that of the certificate in '{certificate}'.", refusal.Message);
    }

    private static (string Certificate, string Key, string Fingerprint) Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), certificate.GetCertHashString(HashAlgorithmName.SHA256));
    }

    private static Task UntilLoggedAsync(RememberedLog log, string words) => Eventually.TrueAsync(
        () => log.Messages.Any(message => message.Contains(words, StringComparison.Ordinal)), $"\"{words}\" is logged", () => string.Join('\n', log.Messages));

    private async Task<WebApplication> StartAsync(RememberedLog log, params string[] settings)
    {
        var app = OrchestratorApp.Create(
            services => services.AddSingleton<ILoggerProvider>(log),
            ["--urls=https://127.0.0.1:0", "--Logging:Console:LogLevel:Default=None", $"--Jobs:Path={Path.Combine(_directory.FullName, "jobs.db")}", .. settings]);
        await app.StartAsync(Cancellation);
        return app;
    }

    private static async Task<string> FingerprintAsync(params string[] settings)
    {
        await using var app = OrchestratorApp.Create(["--urls=https://127.0.0.1:0", "--Logging:Console:LogLevel:Default=None", .. settings]);
        await app.StartAsync(Cancellation);
        return await FingerprintAsync(app);
    }

    private static async Task<string> FingerprintAsync(WebApplication app)
    {
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
