using System.Security.Cryptography;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Remote;

/// <summary>
/// The hosts' SSH keys: compared with the fingerprint that the machine's console told, or else with the key that the
/// same machine showed before; kept in a file that OpenSSH's <c>UserKnownHostsFile</c> can be.
/// </summary>
/// <param name="file">The file, made where it is missing; its lines end with the machine's EC2 name.</param>
/// <param name="acceptNew">Whether a key that differs is accepted, and told.</param>
/// <param name="note">Told what people should know.</param>
internal sealed class HostKeys(string file, bool acceptNew, Action<string> note)
{
    private readonly Lock _lock = new();

    /// <summary>Decides about a key that a host showed.</summary>
    /// <param name="host">The host.</param>
    /// <param name="algorithm">The key's kind: <c>ssh-ed25519</c>.</param>
    /// <param name="key">The key, as SSH encodes it.</param>
    /// <returns>Null to go on; else why the key is refused.</returns>
    public string? Refusal(DeployedHost host, string algorithm, byte[] key)
    {
        var shown = Fingerprint(key);
        lock (_lock)
        {
            var remembered = Remembered(host);
            var expected = host.HostKey ?? (remembered is null ? null : Fingerprint(remembered));
            if (expected is null)
            {
                note($"{host.Name} ({host.SshAddress}) shows the SSH key {shown}, which nobody vouches for; it is accepted, and compared from now on.");
            }
            else if (!string.Equals(expected, shown, StringComparison.Ordinal))
            {
                if (!acceptNew) return $"it shows the SSH key {shown} where {expected} was expected";
                note($"{host.Name} ({host.SshAddress}) shows the SSH key {shown} instead of {expected}; it is accepted as --accept-new-host-key says.");
            }

            if (remembered is null || !remembered.AsSpan().SequenceEqual(key)) Remember(host, algorithm, key);
            return null;
        }
    }

    /// <summary>SHA-256 in OpenSSH's form: <c>SHA256:</c> and base64 without padding.</summary>
    public static string Fingerprint(byte[] key) => $"SHA256:{Convert.ToBase64String(SHA256.HashData(key)).TrimEnd('=')}";

    private static string Address(DeployedHost host) => host.SshPort == 22 ? host.SshAddress : $"[{host.SshAddress}]:{host.SshPort}";

    private byte[]? Remembered(DeployedHost host) => Lines()
        .Select(line => line.Split(' '))
        .Where(fields => fields.Length == 4 && fields[0] == Address(host) && fields[3] == host.InstanceId)
        .Select(fields => Convert.FromBase64String(fields[2]))
        .FirstOrDefault();

    private void Remember(DeployedHost host, string algorithm, byte[] key)
    {
        var lines = Lines().Where(line => line.Split(' ')[0] != Address(host))
            .Append($"{Address(host)} {algorithm} {Convert.ToBase64String(key)} {host.InstanceId}");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var temporary = $"{file}.{Guid.NewGuid():N}";
        File.WriteAllLines(temporary, lines);
        File.Move(temporary, file, overwrite: true);
    }

    private string[] Lines() => File.Exists(file) ? File.ReadAllLines(file) : [];
}
