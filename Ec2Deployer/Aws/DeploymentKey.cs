using System.Buffers.Binary;
using System.Text;
using Lab.Ec2Deployer.Reporting;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Utilities;
using Org.BouncyCastle.Security;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Security;

namespace Lab.Ec2Deployer.Aws;

/// <summary>The deployment's SSH key: ed25519, made on this machine, or one that was brought here; the private half never leaves it.</summary>
internal static class DeploymentKey
{
    // What EC2 imports.
    private static readonly string[] Accepted = ["ssh-ed25519", "ssh-rsa"];

    /// <summary>The public half, <c>ssh-ed25519 AAAA…</c>, or null where there is no key yet.</summary>
    /// <param name="directory">The deployment's directory.</param>
    /// <exception cref="DeploymentException">The file holds no key that can be used.</exception>
    public static string? PublicKey(DeploymentDirectory directory) => File.Exists(directory.PrivateKeyFile) ? PublicKey(directory.PrivateKeyFile) : null;

    /// <summary>The public half of a private key.</summary>
    /// <param name="file">The file with the private key: OpenSSH, PKCS#1 or PKCS#8, without a passphrase.</param>
    /// <exception cref="DeploymentException">It holds no key that can be used.</exception>
    public static string PublicKey(string file) => PublicKey(file, Text(file));

    /// <summary>The public half of a private key that is in no file of its own.</summary>
    /// <param name="file">Where it comes from, for messages.</param>
    /// <param name="text">The private key.</param>
    /// <exception cref="DeploymentException">It is no key that can be used.</exception>
    public static string PublicKey(string file, string text)
    {
        try
        {
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
            using var key = new PrivateKeyFile(stream);
            var data = key.HostKeyAlgorithms.OfType<KeyHostAlgorithm>().First().Data;
            // RFC 4253, 6.6: the blob begins with the kind's name, its length before it.
            var kind = Encoding.ASCII.GetString(data.AsSpan(4, BinaryPrimitives.ReadInt32BigEndian(data)));
            return Accepted.Contains(kind) ? $"{kind} {Convert.ToBase64String(data)}" : throw Unusable(file, $"it is of the kind {kind}");
        }
        catch (Exception e) when (e is SshPassPhraseNullOrEmptyException || (e is not DeploymentException && text.Contains("ENCRYPTED", StringComparison.Ordinal)))
        {
            throw Unusable(file, "it is encrypted with a passphrase; ssh-keygen -p takes that off a copy", e);
        }
        catch (Exception e) when (e is not DeploymentException)
        {
            // Whatever a file may hold: the library has no one exception for it.
            throw Unusable(file, "it holds no private key", e);
        }
    }

    /// <summary>Makes the key where there is none.</summary>
    /// <returns>The public half.</returns>
    public static string Ensure(DeploymentDirectory directory)
    {
        if (PublicKey(directory) is { } existing) return existing;
        var made = Make();
        Keep(directory, made);
        return made.PublicKey;
    }

    /// <summary>Makes a key, and writes it nowhere.</summary>
    public static SshKey Make()
    {
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        var text = new StringBuilder("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        foreach (var line in Convert.ToBase64String(OpenSshPrivateKeyUtilities.EncodePrivateKey(pair.Private)).Chunk(70)) text.Append(line).Append('\n');
        text.Append("-----END OPENSSH PRIVATE KEY-----\n");
        return new(text.ToString(), $"ssh-ed25519 {Convert.ToBase64String(OpenSshPublicKeyUtilities.EncodePublicKey((Ed25519PublicKeyParameters)pair.Public))}");
    }

    /// <summary>Reads a key that opens the hosts, to be taken over.</summary>
    /// <param name="file">The private key.</param>
    /// <param name="hosts">The public half that EC2 gave the hosts, or null: there are none.</param>
    /// <exception cref="DeploymentException">It holds no key that can be used, or another than the hosts'.</exception>
    public static SshKey Read(string file, string? hosts)
    {
        var text = Text(file);
        var brought = PublicKey(file, text);
        if (hosts is not null && hosts != brought) throw Unusable(file, "EC2 shows that the hosts were started with another key");
        return new(text, brought);
    }

    /// <summary>Writes a key as the deployment's. Another one that is in its place is kept beside it.</summary>
    /// <param name="directory">The deployment's directory.</param>
    /// <param name="key">The key.</param>
    /// <returns>The name of the one that was in its place, or null.</returns>
    public static string? Keep(DeploymentDirectory directory, SshKey key)
    {
        string? aside = null;
        if (File.Exists(directory.PrivateKeyFile))
        {
            if (Text(directory.PrivateKeyFile) == key.PrivateKey) return null;
            aside = directory.SetAside(directory.PrivateKeyFile, "replaced");
        }

        directory.WriteSecret(directory.PrivateKeyFile, key.PrivateKey);
        return aside;
    }

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(file, e.Message.TrimEnd('.'), e);
        }
    }

    private static DeploymentException Unusable(string file, string why, Exception? inner = null) => new(ExitCode.Usage,
        $"The SSH key {file} cannot be used: {why}. Nothing was changed. A private key without a passphrase is needed, ed25519 or RSA, as OpenSSH, PKCS#1 or PKCS#8: that by which the hosts were started.", inner);
}

/// <summary>An SSH key, both halves.</summary>
/// <param name="PrivateKey">The private half as the file holds it. Not for messages or logs.</param>
/// <param name="PublicKey">The public half, <c>ssh-ed25519 AAAA…</c>.</param>
internal sealed record SshKey(string PrivateKey, string PublicKey)
{
    /// <summary>The public half alone.</summary>
    public override string ToString() => PublicKey;
}
