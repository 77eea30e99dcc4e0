namespace Lab.ServiceDefaults.Access;

/// <summary>A certificate's file and its key's, as they were read together.</summary>
/// <param name="CertificatePath">Where the certificate is.</param>
/// <param name="KeyPath">Where its key is; may be the same file.</param>
/// <param name="Certificate">What the first holds.</param>
/// <param name="Key">What the second holds.</param>
internal sealed record CertificateFiles(string CertificatePath, string KeyPath, FileContent Certificate, FileContent Key)
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Reads both.</summary>
    public static CertificateFiles Read(string certificate, string key)
    {
        var content = FileContent.Read(certificate, MaxBytes);
        return new(certificate, key, content, key == certificate ? content : FileContent.Read(key, MaxBytes));
    }

    /// <summary>Reads both again.</summary>
    public CertificateFiles Again() => Read(CertificatePath, KeyPath);
}
