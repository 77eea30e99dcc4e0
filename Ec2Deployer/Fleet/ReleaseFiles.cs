using System.Data.Common;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The files of this machine that a release is made of, read and checked before anything costs money.</summary>
internal static class ReleaseFiles
{
    private const string Nothing = "Nothing was started or changed.";

    // No certificate with its chain, and no connection string, comes near it.
    private const long MaxBytes = 1 << 20;
    private static readonly string[] HostKeys = ["Host", "Server"];

    /// <summary>Checks every file that an option names.</summary>
    /// <param name="release">What the hosts are to run.</param>
    /// <param name="now">For certificates.</param>
    /// <exception cref="DeploymentException">One cannot be used; with <see cref="ExitCode.Usage"/>.</exception>
    public static void Check(ReleaseOptions release, DateTimeOffset now)
    {
        if (release.ModelDirectory is { } model && ModelDirectory.Problem(model) is { } problem)
            throw Unusable("--model", model, problem, "Name the directory of a model, with config.json, model.safetensors and the tokenizer's files.");
        if (release.CertificateFile is { } certificate && CertificateProblem(certificate, now) is { } wrong)
            throw Unusable("--certificate", certificate, wrong, "Name a PEM file with the certificate and its key, not encrypted, or a PFX file without a password.");
        if (release.PostgresFile is { } postgres && PostgresProblem(postgres) is { } fault)
            throw Unusable("--postgres", postgres, fault, "Write a connection string into it, such as Host=db.example.com;Database=lab;Username=lab;Password=….");
        if (release.BaseImage is { } image) BaseImage.Parse(image);
    }

    private static string? CertificateProblem(string file, DateTimeOffset now)
    {
        if (FileProblem(file) is { } problem) return problem;
        var pem = FleetKeys.Pem(file);
        if (pem.Contains("ENCRYPTED", StringComparison.Ordinal)) return "its private key is encrypted, and hosts that start by themselves have no password";
        if (!pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal)) return "there is no certificate in it";
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal)) return "the certificate's private key is not in it";
        try
        {
            using var pair = X509Certificate2.CreateFromPem(pem, pem);
            return now.UtcDateTime > pair.NotAfter.ToUniversalTime() ? FormattableString.Invariant($"it expired on {pair.NotAfter.ToUniversalTime():yyyy-MM-dd}")
                : now.UtcDateTime < pair.NotBefore.ToUniversalTime() ? FormattableString.Invariant($"it is not valid before {pair.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC")
                : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return $"the key is not the certificate's, or one of them cannot be read ({e.Message.TrimEnd('.')})";
        }
    }

    private static string? PostgresProblem(string file)
    {
        if (FileProblem(file) is { } problem) return problem;
        var text = File.ReadAllText(file).Trim();

        if (text.Length == 0) return "it is empty";
        // Nothing of it is shown: it holds a password.
        if (text.StartsWith("postgres", StringComparison.OrdinalIgnoreCase) && text.Contains("://", StringComparison.Ordinal)) return "it holds an address, and keys with values are asked for";
        if (text.Contains('\n', StringComparison.Ordinal)) return "it has more than one line";
        try
        {
            var connection = new DbConnectionStringBuilder { ConnectionString = text };
            return HostKeys.Any(key => connection.TryGetValue(key, out var host) && !string.IsNullOrWhiteSpace(host.ToString())) ? null : "it names no Host";
        }
        catch (ArgumentException)
        {
            return "it is no connection string";
        }
    }

    private static string? FileProblem(string file)
    {
        if (PlainFile.Problem(file, MaxBytes) is { } problem) return problem;
        try
        {
            using var stream = File.OpenRead(file);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    private static DeploymentException Unusable(string option, string path, string problem, string remedy) =>
        new(ExitCode.Usage, $"{option} {path} cannot be used: {problem}. {Nothing} {remedy}");
}
