using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Access;

/// <summary>Says once that anybody who reaches the address may use it, where that is more than this machine.</summary>
internal sealed partial class OpenDoorWarning(KeyRing keys, IServer server, IHostApplicationLifetime lifetime, ILogger<OpenDoorWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            var open = server.Features.Get<IServerAddressesFeature>()?.Addresses.Where(address => !IsLoopback(address)).ToList() ?? [];
            if (keys.IsOpen && open.Count > 0) LogOpen(logger, string.Join(", ", open));
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal static bool IsLoopback(string address) =>
        address.StartsWith("http://unix:/", StringComparison.Ordinal)
        || Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.IsLoopback || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)));

    [LoggerMessage(1, LogLevel.Warning, "No API key is needed and {Addresses} can be reached from other machines: anybody may use this service. Set Access__Keys__<name>")]
    private static partial void LogOpen(ILogger logger, string addresses);
}
