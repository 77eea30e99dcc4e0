using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Ec2Deployer.Tests.Fleet;

/// <summary>A server on loopback with a certificate of its own that names everything but the address by which it is reached, as an orchestrator on a host at EC2.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app, string pem) => (_app, Pem) = (app, pem);

    /// <summary>Its certificate.</summary>
    public string Pem { get; }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>What it was asked, and with which key.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What is done while a request waits.</summary>
    public Action Meanwhile { get; set; } = () => { };

    /// <summary>Starts one.</summary>
    /// <param name="names">The names of its certificate.</param>
    public static async Task<TlsServer> StartAsync(params string[] names)
    {
        var certificate = MakeCertificate(names);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var server = new TlsServer(builder.Build(), certificate.ExportCertificatePem());
        server._app.Run(async context =>
        {
            server.Meanwhile();
            server.Requests.Enqueue($"{context.Request.Method} {context.Request.Path} {context.Request.Headers.Authorization}".TrimEnd());
            await context.Response.WriteAsync("answered");
        });
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>A certificate that nobody vouches for.</summary>
    public static X509Certificate2 MakeCertificate(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Lab", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternatives.AddDnsName(name);
        if (names.Length > 0) request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
