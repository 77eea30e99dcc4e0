using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Files that options name: what is wrong with one is told before EC2 is asked anything.</summary>
public sealed class LocalFilesTests : CommandTest
{
    [Theory]
    [InlineData("--certificate /nosuch", "--certificate /nosuch cannot be used: it does not exist")]
    [InlineData("--certificate /tmp", "it is a directory")]
    [InlineData("--certificate {empty}", "there is no certificate in it")]
    [InlineData("--certificate {cert}", "the certificate's private key is not in it")]
    [InlineData("--certificate {encrypted}", "its private key is encrypted")]
    [InlineData("--certificate {foreign}", "the key is not the certificate's")]
    [InlineData("--certificate {expired}", "it expired on 2026-01-02")]
    [InlineData("--postgres /nosuch", "--postgres /nosuch cannot be used: it does not exist")]
    [InlineData("--postgres {empty}", "it is empty")]
    [InlineData("--postgres {nohost}", "it names no Host")]
    [InlineData("--postgres {url}", "it holds an address")]
    [InlineData("--postgres {nonsense}", "it is no connection string")]
    [InlineData("--model /nosuch", "--model /nosuch cannot be used: it does not exist")]
    [InlineData("--model {empty}", "it is a file, not a directory")]
    [InlineData("--model {model}", "it has no config.json", "config.json")]
    [InlineData("--model {model}", "it has no model.safetensors", "model.safetensors")]
    [InlineData("--model {model}", "it has neither vocab.txt nor tokenizer.json", "vocab.txt")]
    [InlineData("--model {model}", "config.json is no JSON", "config.json", "{")]
    [InlineData("--model {model}", "is a pointer of Git LFS", "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")]
    [InlineData("--model {model}", "is cut off, or no file of safetensors", "model.safetensors", "\u0007\u0001\0\0\0\0\0\0{\"a\":1}")]
    [InlineData("--base-image debian", "names no registry")]
    public async Task Publish_FileThatCannotBeUsed_EndsWithTwoAndAsksEc2Nothing(string option, string words, string? spoilt = null, string? content = null)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 {Filled(session, option, spoilt, content)}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Empty(session.StandIn.Requests);
        Assert.Equal(0, Fleet.Builds);
        Assert.DoesNotContain("planted-password", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--certificate {pair} --postgres {postgres} --model {model}")]
    [InlineData("--certificate {pfx} --model {model}", "model.safetensors.index.json", """{"weight_map":{"a":"model.safetensors"}}""")]
    // With the byte-order mark of Windows' editors.
    [InlineData("--certificate {pair} --model {model}", "config.json", "\uFEFF{}")]
    public async Task Publish_FilesThatCanBeUsed_GoesOn(string options, string? file = null, string? content = null)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"publish --hosts 1 {Filled(session, options, file, content)}");

        Assert.True(result.Code == 0, result.Error);
    }

    [Fact]
    public async Task Scale_CertificateLostSincePublish_AsksEc2Nothing()
    {
        await using var session = await Ec2Session.StartAsync();
        var certificate = Filled(session, "{pair}", null, null);
        await RunAsync(session, $"publish --hosts 1 --certificate {certificate}");
        File.Delete(certificate);
        var asked = session.StandIn.Requests.Count;

        var result = await RunAsync(session, "scale --hosts 3");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains($"--certificate {certificate} cannot be used: it does not exist. Nothing was started or changed.", result.Error, StringComparison.Ordinal);
        Assert.Equal(asked, session.StandIn.Requests.Count);
    }

    [Fact]
    public async Task Publish_ImagesCannotBeBuilt_StartsNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.BuildFailure = new DeploymentException(ExitCode.Failed, "The base image localhost:1/base:1 cannot be had.");

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal((int)ExitCode.Failed, result.Code);
        Assert.EndsWith("The base image localhost:1/base:1 cannot be had.\n", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Mutations);
    }

    // Makes the file that stands in braces, and gives its path instead.
    private static string Filled(Ec2Session session, string options, string? spoilt, string? content)
    {
        foreach (var name in (string[])["empty", "cert", "encrypted", "foreign", "expired", "nohost", "url", "nonsense", "model", "pair", "pfx", "postgres"])
        {
            if (!options.Contains($"{{{name}}}", StringComparison.Ordinal)) continue;
            var path = Path.Combine(session.Config, name + (name == "pfx" ? ".pfx" : ""));
            if (name == "model") Model(path, spoilt, content);
            else File.WriteAllBytes(path, name == "pfx" ? Pfx() : System.Text.Encoding.UTF8.GetBytes(Text(name)));
            options = options.Replace($"{{{name}}}", path, StringComparison.Ordinal);
        }

        return options;
    }

    private static void Model(string path, string? spoilt, string? content)
    {
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "config.json"), "{}");
        File.WriteAllText(Path.Combine(path, "vocab.txt"), "[PAD]\n");
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        if (spoilt is null) return;
        if (content is null) File.Delete(Path.Combine(path, spoilt));
        else File.WriteAllText(Path.Combine(path, spoilt), content);
    }

    private static string Text(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificate(key, name == "expired");
        return name switch
        {
            "cert" => certificate.ExportCertificatePem(),
            "encrypted" => $"{certificate.ExportCertificatePem()}\n{key.ExportEncryptedPkcs8PrivateKeyPem("planted-password", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1))}",
            "foreign" => $"{certificate.ExportCertificatePem()}\n{other.ExportPkcs8PrivateKeyPem()}",
            "expired" or "pair" => $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}",
            "postgres" => "Host=db.example.com;Database=lab;Username=lab;Password=planted-password\n",
            "nohost" => "Database=lab;Password=planted-password",
            "url" => "postgres://lab:planted-password@db.example.com/lab",
            "nonsense" => "planted-password",
            _ => "",
        };
    }

    private static byte[] Pfx()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificate(key, expired: false);
        return certificate.Export(X509ContentType.Pfx);
    }

    private static X509Certificate2 Certificate(ECDsa key, bool expired) => new CertificateRequest("CN=lab.example.com", key, HashAlgorithmName.SHA256)
        .CreateSelfSigned(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), expired ? new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero) : DateTimeOffset.UtcNow.AddYears(1));
}
