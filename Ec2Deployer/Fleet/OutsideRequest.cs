using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>One request as clients send theirs, from here over HTTPS. A fleet that is well may still be out of reach: that is told, and is no failure.</summary>
internal static class OutsideRequest
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Asks for <c>/health</c>.</summary>
    /// <param name="way">The way to the orchestrator.</param>
    /// <param name="host">Its address as clients write it, with a port where it is not 443.</param>
    /// <param name="certificates">The certificates to believe, as PEM.</param>
    /// <param name="progress">Told what is not as it should be.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task RunAsync(HostWay way, string host, IReadOnlyList<string> certificates, IProgressSink progress, CancellationToken cancellationToken)
    {
        var believed = certificates.Select(FleetKeys.Fingerprint).ToHashSet(StringComparer.Ordinal);
        var address = new Uri($"https://{host}/health");
        using var http = new HttpClient(new SocketsHttpHandler
        {
            // A proxy is on the way to what has an address here; a bastion is a way of its own.
            UseProxy = !way.IsIndirect,
            ConnectCallback = way.IsIndirect ? (_, cancellationToken) => ConnectAsync(way, cancellationToken) : null,
            SslOptions = new() { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate && believed.Contains(FleetKeys.Fingerprint(certificate)) },
        })
        { Timeout = Timeout };
        try
        {
            using var answer = await http.GetAsync(address, cancellationToken);
            if (!answer.IsSuccessStatusCode) progress.Note($"{address} answers {(int)answer.StatusCode}.");
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            progress.Note($"{address} shows another certificate from here than the orchestrator's host has: somebody may be in between. Send it no key.");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The fleet is well; who may reach it is another matter.
            progress.Note($"{address} does not answer from here, though all containers are well: {way.BastionFailure ?? "look at --http-from"}.");
        }
    }

    private static async ValueTask<Stream> ConnectAsync(HostWay way, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(way.Address, way.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
