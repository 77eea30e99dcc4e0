using System.Collections.Concurrent;
using System.Globalization;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>What the stand-in's instances are here: real hosts of the rig, with the key that the instance was asked for.</summary>
/// <param name="directory">Below it each host has its own directory.</param>
/// <param name="orchestratorNumber">The last part of the orchestrator's address; the other hosts' follow.</param>
internal sealed class RigBackend(string directory, int orchestratorNumber = RigBackend.UsualNumber) : IHostBackend, IAsyncDisposable
{
    /// <summary>Where a fleet's addresses begin.</summary>
    public const int UsualNumber = 10;

    private readonly ConcurrentDictionary<string, RigHost> _hosts = new();
    private readonly ConcurrentDictionary<string, RigHost> _stopped = new();

    /// <summary>The hosts that run, by the name the deployer gave them.</summary>
    public IReadOnlyDictionary<string, RigHost> Running => _hosts.Values.ToDictionary(host => host.Host.Name);

    public async Task<HostAddresses> StartAsync(StandInInstance instance, CancellationToken cancellationToken)
    {
        if (_stopped.TryRemove(instance.Id, out var stopped))
        {
            var again = _hosts[instance.Id] = await stopped.StartAgainAsync();
            return new(again.Host.PrivateAddress, again.Host.SshAddress);
        }

        var name = instance.Tags["lab:host"];
        var number = name.StartsWith("host-", StringComparison.Ordinal) ? int.Parse(name["host-".Length..], CultureInfo.InvariantCulture) : 0;
        var host = await RigHost.StartAsync(name, orchestratorNumber + number, manager: false, directory, instance.PublicKey);
        _hosts[instance.Id] = host;
        return new(host.Host.PrivateAddress, host.Host.SshAddress);
    }

    public async Task StopAsync(StandInInstance instance, bool terminate, CancellationToken cancellationToken)
    {
        if (!_hosts.TryRemove(instance.Id, out var host)) return;
        if (terminate)
        {
            await host.DisposeAsync();
            return;
        }

        await host.StopAsync();
        _stopped[instance.Id] = host;
    }

    // Beside those of the hosts: another lane's begin eighty further on.
    public string ElasticAddress(int number) => $"10.77.0.{orchestratorNumber + 40 + number}";

    public string? PoolAddress(StandInInstance instance) => _hosts.GetValueOrDefault(instance.Id)?.Host.SshAddress;

    public void PutOn(StandInInstance instance, string address) => _hosts[instance.Id].TakeAddressAsync(address).GetAwaiter().GetResult();

    public void TakeOff(StandInInstance instance, string address)
    {
        if (_hosts.TryGetValue(instance.Id, out var host)) host.LoseAddressAsync(address).GetAwaiter().GetResult();
    }

    public string ConsoleOutput(StandInInstance instance) => _hosts.TryGetValue(instance.Id, out var host)
        ? $"""
            ci-info: -----BEGIN SSH HOST KEY FINGERPRINTS-----
            ci-info: 256 {host.Host.HostKey} root@{host.Host.Name} (ED25519)
            ci-info: -----END SSH HOST KEY FINGERPRINTS-----
            """
        : "";

    /// <summary>A host's power fails: EC2 says that it runs, and it does not.</summary>
    public async Task LoseAsync(string name)
    {
        var (id, host) = _hosts.Single(pair => pair.Value.Host.Name == name);
        _hosts.TryRemove(id, out _);
        await host.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_hosts.Values.Select(host => host.DisposeAsync().AsTask()));
}
