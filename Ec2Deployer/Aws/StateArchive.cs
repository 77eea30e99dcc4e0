using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// A deployment's keys and state as one text: JSON, with a fixed list of files and no paths. Encrypted, its content is the
/// same JSON under AES-256-GCM, the key made of the passphrase by PBKDF2-HMAC-SHA256 (RFC 8018) and a random salt.
/// </summary>
internal static class StateArchive
{
    /// <summary>No archive is longer, in bytes.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>A passphrase has at least so many characters.</summary>
    public const int MinPassphrase = 12;

    /// <summary>What another machine needs; the rest is made again.</summary>
    public static readonly string[] Files = ["state.json", "id_ed25519", "api-key", "admin-key", "otlp-key", "dashboard-token", "known_hosts", "https.pem", "certificate.pem", "authorization"];

    private const string Format = "lab-deployment";
    // OWASP's number for PBKDF2-HMAC-SHA256.
    private const int Iterations = 600_000;
    private const int MaxIterations = 10_000_000;
    private const int SaltBytes = 16;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>The archive.</summary>
    /// <param name="name">The deployment's name.</param>
    /// <param name="files">Contents by name.</param>
    /// <param name="passphrase">Encrypts it, or null: it is plain.</param>
    public static string Write(string name, IReadOnlyDictionary<string, string> files, string? passphrase)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(new ArchiveContent(name, new(files)), ArchiveJson.Default.ArchiveContent);
        if (passphrase is null) return Text(new ArchiveEnvelope(Format, 1, new ArchiveContent(name, new(files)), null));
        var (salt, nonce) = (RandomNumberGenerator.GetBytes(SaltBytes), RandomNumberGenerator.GetBytes(NonceBytes));
        var (cipherText, tag) = (new byte[content.Length], new byte[TagBytes]);
        using var cipher = Cipher(passphrase, salt, Iterations);
        cipher.Encrypt(nonce, content, cipherText, tag, Associated(Iterations));
        return Text(new ArchiveEnvelope(Format, 1, null, new(Iterations, salt, nonce, tag, cipherText)));
    }

    /// <summary>Reads an archive.</summary>
    /// <param name="text">The archive.</param>
    /// <param name="passphrase">Asked where it is encrypted.</param>
    /// <exception cref="FormatException">It is none, or not whole; the message says what is wrong.</exception>
    /// <exception cref="CryptographicException">The passphrase is wrong, or the archive was changed.</exception>
    public static ArchiveContent Read(string text, Func<string> passphrase)
    {
        ArchiveEnvelope envelope;
        try
        {
            envelope = JsonSerializer.Deserialize(text, ArchiveJson.Default.ArchiveEnvelope) ?? throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new FormatException("it was not made by 'state export', or is torn", e);
        }

        if (envelope.Format != Format) throw new FormatException("it was not made by 'state export'");
        if (envelope.Version != 1) throw new FormatException("it was made by a newer version of this program");
        var content = envelope.Encrypted is { } encrypted ? Decrypt(encrypted, passphrase()) : envelope.Content;
        if (content is not { Name.Length: > 0, Files.Count: > 0 } || content.Files.Any(file => file.Value is null)) throw new FormatException("it holds no deployment");
        if (content.Files.Keys.FirstOrDefault(name => !Files.Contains(name)) is { } foreign) throw new FormatException($"it holds a file '{foreign}', which is none of a deployment's");
        return content;
    }

    private static ArchiveContent? Decrypt(ArchiveCipher encrypted, string passphrase)
    {
        if (encrypted is not { Iterations: > 0 and <= MaxIterations, Salt.Length: SaltBytes, Nonce.Length: NonceBytes, Tag.Length: TagBytes, Content: not null })
            throw new FormatException("what says how it is encrypted is not whole");
        var content = new byte[encrypted.Content.Length];
        using var cipher = Cipher(passphrase, encrypted.Salt, encrypted.Iterations);
        cipher.Decrypt(encrypted.Nonce, encrypted.Content, encrypted.Tag, content, Associated(encrypted.Iterations));
        try
        {
            return JsonSerializer.Deserialize(content, ArchiveJson.Default.ArchiveContent);
        }
        catch (JsonException e)
        {
            throw new FormatException("it holds no deployment", e);
        }
    }

    private static AesGcm Cipher(string passphrase, byte[] salt, int iterations) =>
        new(Rfc2898DeriveBytes.Pbkdf2(passphrase.Normalize(), salt, iterations, HashAlgorithmName.SHA256, 32), TagBytes);

    // What stands beside the content cannot be exchanged without being noticed.
    private static byte[] Associated(int iterations) => Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Format} 1 pbkdf2-sha256 {iterations} aes-256-gcm"));

    private static string Text(ArchiveEnvelope envelope) => JsonSerializer.Serialize(envelope, ArchiveJson.Default.ArchiveEnvelope) + "\n";
}

/// <summary>What an archive holds.</summary>
/// <param name="Name">The deployment's name.</param>
/// <param name="Files">Contents by name.</param>
internal sealed record ArchiveContent(string Name, Dictionary<string, string> Files);

/// <summary>The outside of an archive.</summary>
internal sealed record ArchiveEnvelope(string Format, int Version, ArchiveContent? Content, ArchiveCipher? Encrypted);

/// <summary>An encrypted content, and what else is needed to open it but the passphrase.</summary>
internal sealed record ArchiveCipher(int Iterations, byte[] Salt, byte[] Nonce, byte[] Tag, byte[] Content);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ArchiveEnvelope))]
[JsonSerializable(typeof(ArchiveContent))]
internal sealed partial class ArchiveJson : JsonSerializerContext;
