using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>No machines at all: everything starts at once, with an address and a console like cloud-init's.</summary>
internal sealed class InstantHosts : IHostBackend
{
    private readonly ConcurrentDictionary<string, (HostAddresses Addresses, string HostKey)> _hosts = new();
    private readonly ConcurrentDictionary<string, bool> _started = new();
    private int _last;

    /// <summary>Where public addresses are: for documentation only (RFC 5737), or of loopback where a real client connects to them.</summary>
    public string Network { get; set; } = "198.51.100";

    /// <summary>Machines that run.</summary>
    public ConcurrentDictionary<string, bool> Running { get; } = new();

    /// <summary>The fingerprint that the machine would show.</summary>
    public string HostKey(string instanceId) => _hosts[instanceId].HostKey;

    public Task<HostAddresses> StartAsync(StandInInstance instance, CancellationToken cancellationToken)
    {
        var host = _hosts.GetOrAdd(instance.Id, _ =>
        {
            var number = Interlocked.Increment(ref _last);
            return (new HostAddresses($"172.31.0.{number}", instance.WantsPublicAddress ? $"{Network}.{number}" : null),
                "SHA256:" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('='));
        });
        Running[instance.Id] = true;
        if (!_started.TryAdd(instance.Id, true) && instance.WantsPublicAddress)
        {
            // Started again, it gets another public address, and keeps the rest.
            host.Addresses = host.Addresses with { PublicAddress = $"{Network}.{Interlocked.Increment(ref _last)}" };
        }

        return Task.FromResult(host.Addresses);
    }

    public Task StopAsync(StandInInstance instance, bool terminate, CancellationToken cancellationToken)
    {
        Running.TryRemove(instance.Id, out _);
        return Task.CompletedTask;
    }

    public string ElasticAddress(int number) => $"{Network}.{200 + number}";

    public string? PoolAddress(StandInInstance instance) => $"{Network}.{Interlocked.Increment(ref _last)}";

    public string ConsoleOutput(StandInInstance instance) => $"""
        [    0.000000] Linux version 6.1.0-28-cloud-amd64
        <14>Nov 24 10:00:00 cloud-init: #############################################################
        <14>Nov 24 10:00:00 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----
        <14>Nov 24 10:00:00 cloud-init: 256 {_hosts[instance.Id].HostKey} root@{instance.Tags.GetValueOrDefault("lab:host")} (ED25519)
        <14>Nov 24 10:00:00 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----
        """;
}
