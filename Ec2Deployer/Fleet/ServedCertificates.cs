using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The certificates that orchestrators serve on port 443, as their hosts tell over SSH, whose keys are pinned: clients believe these, whoever signed them.</summary>
internal static class ServedCertificates
{
    private const string Localhost = "localhost";

    /// <summary>One PEM for each orchestrator that tells, the first orchestrator's first; those that serve the same one tell it once.</summary>
    public static async Task<IReadOnlyList<string>> ReadAsync(FleetSession session, Release release, CancellationToken cancellationToken)
    {
        var command = HostCommands.Certificate(session.Release.Deployment);
        var told = await FleetSession.OnEachAsync(
            session.OrchestratorHosts(release.OrchestratorOnEachManager).OrderBy(host => host.Role).Select(host => session[host]), connection => connection.TryAsync(command, cancellationToken));
        return [.. told.Where(result => result.ExitCode == 0).Select(result => result.Output.Trim()).Distinct()];
    }

    /// <summary>A name that the certificate is for; null where it has none but addresses.</summary>
    /// <param name="pem">The certificate.</param>
    public static string? NameIn(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        var alternatives = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        // Without alternatives the subject's own name counts; any name below a wildcard will do.
        var names = alternatives?.EnumerateDnsNames() ?? [certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)];
        return names.Select(name => name.Replace("*", "lab", StringComparison.Ordinal)).OrderBy(name => name == Localhost)
            .FirstOrDefault(name => Uri.CheckHostName(name) is UriHostNameType.Dns);
    }
}
