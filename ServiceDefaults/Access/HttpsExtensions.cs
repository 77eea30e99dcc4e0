using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>HTTPS by a certificate file, or by a self-signed certificate where there is none.</summary>
public static partial class HttpsExtensions
{
    /// <summary>
    /// Gives every <c>https://</c> address of the server its certificate, and new connections another one as soon as its
    /// files hold that. Without such an address nothing is read or made.
    /// </summary>
    /// <remarks>Throws <see cref="CertificateException"/> at the server's start when the certificate cannot be had.</remarks>
    public static void AddHttpsCertificate(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Configuration.GetSection(HttpsOptions.Section).Get<HttpsOptions>() ?? new();
        // A number that stands for none of the names is taken by the binder.
        if (!Enum.IsDefined(options.PlainHttp)) throw new SettingException($"{HttpsOptions.Section}:{nameof(HttpsOptions.PlainHttp)} must be {string.Join(", ", Enum.GetNames<PlainHttp>()[..^1])} or {Enum.GetNames<PlainHttp>()[^1]}.");
        builder.Services.AddSingleton(options);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ServedCertificate>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https =>
        {
            var served = kestrel.ApplicationServices.GetRequiredService<ServedCertificate>();
            var server = served.Current;
            https.ServerCertificate = server.Certificate;
            https.ServerCertificateChain = server.Issuers;
            https.OnAuthenticate = (_, tls) => tls.ServerCertificateContext = served.Context;
            var logger = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(HttpsExtensions).FullName!);
            if (server.IsSelfSigned) LogSelfSigned(logger, server.Fingerprint);
        }));
    }

    [LoggerMessage(1, LogLevel.Information, "HTTPS with a self-signed certificate, SHA-256 fingerprint {Fingerprint}")]
    private static partial void LogSelfSigned(ILogger logger, string fingerprint);
}
