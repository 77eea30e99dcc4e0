using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Utilities;
using Org.BouncyCastle.Security;

namespace Lab.Ec2Deployer.Aws;

/// <summary>The deployment's SSH key: ed25519, made on this machine; the private half never leaves it.</summary>
internal static class DeploymentKey
{
    private const string Algorithm = "ssh-ed25519";

    /// <summary>The public half, <c>ssh-ed25519 AAAA…</c>, or null where there is no key yet.</summary>
    /// <param name="directory">The deployment's directory.</param>
    public static string? PublicKey(DeploymentDirectory directory)
    {
        if (!File.Exists(directory.PrivateKeyFile)) return null;
        var body = string.Concat(File.ReadLines(directory.PrivateKeyFile).Where(line => !line.StartsWith("-----", StringComparison.Ordinal)));
        var key = (Ed25519PrivateKeyParameters)OpenSshPrivateKeyUtilities.ParsePrivateKeyBlob(Convert.FromBase64String(body));
        return Text(key.GeneratePublicKey());
    }

    /// <summary>Makes the key where there is none.</summary>
    /// <returns>The public half.</returns>
    public static string Ensure(DeploymentDirectory directory)
    {
        if (PublicKey(directory) is { } existing) return existing;
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        var text = new StringBuilder("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        foreach (var line in Convert.ToBase64String(OpenSshPrivateKeyUtilities.EncodePrivateKey(pair.Private)).Chunk(70)) text.Append(line).Append('\n');
        text.Append("-----END OPENSSH PRIVATE KEY-----\n");
        directory.WriteSecret(directory.PrivateKeyFile, text.ToString());
        return Text((Ed25519PublicKeyParameters)pair.Public);
    }

    private static string Text(Ed25519PublicKeyParameters key) => $"{Algorithm} {Convert.ToBase64String(OpenSshPublicKeyUtilities.EncodePublicKey(key))}";
}
