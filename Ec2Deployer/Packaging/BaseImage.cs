using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>The image that ours are built upon, as its registry knows it (OCI Distribution Specification 1.1).</summary>
/// <param name="Registry">Host and port.</param>
/// <param name="Repository">The name.</param>
/// <param name="Target">Tag or digest.</param>
internal sealed record BaseImage(string Registry, string Repository, string Target)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private static readonly string[] ManifestTypes =
    [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ];

    /// <summary>Reads <c>host[:port]/name[:tag|@sha256:…]</c>.</summary>
    /// <exception cref="DeploymentException">It names no registry.</exception>
    public static BaseImage Parse(string reference)
    {
        var slash = reference.IndexOf('/', StringComparison.Ordinal);
        var registry = slash < 0 ? "" : reference[..slash];
        if (registry is not "localhost" && !registry.Contains('.', StringComparison.Ordinal) && !registry.Contains(':', StringComparison.Ordinal))
            throw new DeploymentException(ExitCode.Usage, $"The base image '{reference}' names no registry: write host/name:tag.");
        var rest = reference[(slash + 1)..];
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at) return new(registry, rest[..at], rest[(at + 1)..]);
        return rest.LastIndexOf(':') is >= 0 and var colon
            ? new(registry, rest[..colon], rest[(colon + 1)..])
            : new(registry, rest, "latest");
    }

    /// <summary>The digest of what the tag means at present.</summary>
    /// <exception cref="DeploymentException">The registry cannot be reached, or has no such image for everybody.</exception>
    public async Task<string> DigestAsync(HttpClient http, CancellationToken cancellationToken)
    {
        if (Target.StartsWith("sha256:", StringComparison.Ordinal)) return Target;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            using var first = await HeadAsync(http, token: null, limit.Token);
            if (first.StatusCode is not HttpStatusCode.Unauthorized) return Digest(first);
            var token = await TokenAsync(http, first.Headers.WwwAuthenticate, limit.Token);
            using var second = await HeadAsync(http, token, limit.Token);
            return Digest(second);
        }
        catch (HttpRequestException e)
        {
            throw Failure(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"no answer within {Timeout.TotalSeconds:0} s");
        }
    }

    private async Task<HttpResponseMessage> HeadAsync(HttpClient http, string? token, CancellationToken cancellationToken)
    {
        var scheme = Registry.Split(':')[0] is "localhost" or "127.0.0.1" ? "http" : "https";
        using var request = new HttpRequestMessage(HttpMethod.Head, $"{scheme}://{Registry}/v2/{Repository}/manifests/{Target}");
        foreach (var type in ManifestTypes) request.Headers.Accept.ParseAdd(type);
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await http.SendAsync(request, cancellationToken);
    }

    /// <summary>The token that a registry gives to anybody who asks, in the way its refusal says.</summary>
    private async Task<string?> TokenAsync(HttpClient http, HttpHeaderValueCollection<AuthenticationHeaderValue> challenges, CancellationToken cancellationToken)
    {
        var challenge = challenges.FirstOrDefault(one => one.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))?.Parameter
            ?? throw Failure("it wants a login");
        var fields = challenge.Split(',').Select(field => field.Trim().Split('=', 2)).Where(pair => pair.Length == 2)
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('"'));
        if (!fields.TryGetValue("realm", out var realm) || !realm.StartsWith("https://", StringComparison.Ordinal)) throw Failure("it wants a login");
        var address = $"{realm}?service={Uri.EscapeDataString(fields.GetValueOrDefault("service", ""))}&scope={Uri.EscapeDataString($"repository:{Repository}:pull")}";
        using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri(address), cancellationToken));
        return document.RootElement.TryGetProperty("token", out var token) ? token.GetString() : null;
    }

    private string Digest(HttpResponseMessage answer) =>
        answer.IsSuccessStatusCode && answer.Headers.TryGetValues("Docker-Content-Digest", out var values)
            ? values.First()
            : throw Failure($"the registry answers {(int)answer.StatusCode}");

    private DeploymentException Failure(string why) => new(ExitCode.Failed,
        $"The base image {Registry}/{Repository}:{Target} cannot be had: {why}. Nothing was changed on any host, and what ran there runs on. "
        + "Check the network and the option --base-image, and run the command again.");
}
