using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The certificate that new connections are served with: the one that its files hold now. Where they hold none that can
/// be used, such as while one of two has been renewed, it stays what it was.
/// </summary>
internal sealed partial class ServedCertificate : IDisposable
{
    private readonly ILogger _logger;
    private readonly FileWatch<CertificateFiles> _watch;

    /// <summary>Reads it.</summary>
    /// <exception cref="CertificateException">It cannot be had.</exception>
    public ServedCertificate(HttpsOptions options, TimeProvider time, ILogger<ServedCertificate> logger)
    {
        _logger = logger;
        Current = ServerCertificate.Load(options, time);
        Context = ContextOf(Current);
        _watch = new(Current.Files, Current.Files.Again, Follow, time);
    }

    /// <summary>The certificate.</summary>
    public ServerCertificate Current { get; private set; }

    /// <summary>It with its issuers, as TLS sends it.</summary>
    public SslStreamCertificateContext Context { get; private set; }

    public void Dispose() => _watch.Dispose();

    private static SslStreamCertificateContext ContextOf(ServerCertificate certificate) =>
        SslStreamCertificateContext.Create(certificate.Certificate, certificate.Issuers);

    private void Follow(CertificateFiles files)
    {
        try
        {
            var certificate = ServerCertificate.Parse(files, Current.IsSelfSigned);
            Context = ContextOf(certificate);
            Current = certificate;
            LogRenewed(_logger, certificate.Fingerprint, certificate.Certificate.NotAfter.ToUniversalTime());
        }
        catch (CertificateException e)
        {
            LogKept(_logger, e.Message.ReplaceLineEndings(" "));
        }
    }

    [LoggerMessage(1, LogLevel.Information, "HTTPS with a renewed certificate, SHA-256 fingerprint {Fingerprint}, valid until {NotAfter:u}")]
    private static partial void LogRenewed(ILogger logger, string fingerprint, DateTime notAfter);

    [LoggerMessage(2, LogLevel.Error, "The certificate is kept as it was: {Reason}")]
    private static partial void LogKept(ILogger logger, string reason);
}
