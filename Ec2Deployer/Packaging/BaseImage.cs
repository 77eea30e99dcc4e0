using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
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

    private const string DigestHeader = "Docker-Content-Digest";

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
            using var first = await AskAsync(http, HttpMethod.Head, token: null, limit.Token);
            if (first.StatusCode is not HttpStatusCode.Unauthorized) return await ReadDigestAsync(http, first, token: null, limit.Token);
            var token = await TokenAsync(http, first.Headers.WwwAuthenticate, limit.Token);
            using var second = await AskAsync(http, HttpMethod.Head, token, limit.Token);
            return await ReadDigestAsync(http, second, token, limit.Token);
        }
        catch (HttpRequestException e)
        {
            throw Failure(e.Message.TrimEnd('.'));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"no answer within {Timeout.TotalSeconds:0} s");
        }
    }

    private Task<HttpResponseMessage> AskAsync(HttpClient http, HttpMethod method, string? token, CancellationToken cancellationToken)
    {
        var scheme = Registry.Split(':')[0] is "localhost" or "127.0.0.1" ? "http" : "https";
        return SendAsync(http, Registry, () =>
        {
            var request = new HttpRequestMessage(method, $"{scheme}://{Registry}/v2/{Repository}/manifests/{Target}");
            foreach (var type in ManifestTypes) request.Headers.Accept.ParseAdd(type);
            if (token is not null) request.Headers.Authorization = new("Bearer", token);
            return request;
        }, cancellationToken);
    }

    /// <summary>The token that a registry gives to anybody who asks, in the way its refusal says.</summary>
    private async Task<string> TokenAsync(HttpClient http, HttpHeaderValueCollection<AuthenticationHeaderValue> challenges, CancellationToken cancellationToken)
    {
        const string login = "the registry gives it only to those who log in, and nobody is logged in here: take an image that anybody may fetch";
        var challenge = RegistryChallenge.Read(challenges) ?? throw Failure(login);
        using var answer = await SendAsync(http, challenge.Realm.Authority, () => new(HttpMethod.Get, challenge.TokenAddress(Repository)), cancellationToken);
        if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) throw Failure(login);
        if (!answer.IsSuccessStatusCode) throw Failure($"the registry's token service {challenge.Realm.Authority} answers {(int)answer.StatusCode}");
        try
        {
            if (RegistryChallenge.Token(await answer.Content.ReadAsStringAsync(cancellationToken)) is { } token) return token;
        }
        catch (JsonException)
        {
            // It is told below.
        }

        throw Failure($"the registry's token service {challenge.Realm.Authority} answers without a token");
    }

    /// <summary>Sends a request; where the answer is that there were too many, once more after the time that it names.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpClient http, string host, Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        var answer = await OnceAsync();
        if (answer.StatusCode is not HttpStatusCode.TooManyRequests) return answer;
        var wait = answer.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - DateTimeOffset.UtcNow : null;
        answer.Dispose();
        if (wait is { } bearable && bearable < Timeout / 2)
        {
            await Task.Delay(bearable > TimeSpan.Zero ? bearable : TimeSpan.Zero, cancellationToken);
            answer = await OnceAsync();
            if (answer.StatusCode is not HttpStatusCode.TooManyRequests) return answer;
            answer.Dispose();
        }

        throw Failure($"{host} has had too many requests from here (429)"
            + (wait is { } told && told > TimeSpan.Zero ? $" and takes the next in {Math.Ceiling(told.TotalSeconds):0} s: wait so long" : ": wait some minutes"));

        async Task<HttpResponseMessage> OnceAsync()
        {
            using var message = request();
            return await http.SendAsync(message, cancellationToken);
        }
    }

    // The header is optional: what it would say is the hash of the manifest.
    private async Task<string> ReadDigestAsync(HttpClient http, HttpResponseMessage head, string? token, CancellationToken cancellationToken)
    {
        if (Refusal(head.StatusCode) is { } refusal) throw Failure(refusal);
        if (head.Headers.TryGetValues(DigestHeader, out var values) && values.FirstOrDefault() is { Length: > 0 } digest) return digest;
        using var whole = await AskAsync(http, HttpMethod.Get, token, cancellationToken);
        return Refusal(whole.StatusCode) is { } later
            ? throw Failure(later)
            : $"sha256:{Convert.ToHexStringLower(SHA256.HashData(await whole.Content.ReadAsByteArrayAsync(cancellationToken)))}";
    }

    private static string? Refusal(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"the registry does not let everybody have it ({(int)status})",
        HttpStatusCode.NotFound => "the registry has no image of that name and tag (404)",
        _ => (int)status is >= 200 and < 300 ? null : $"the registry answers {(int)status}",
    };

    private DeploymentException Failure(string why) => new(ExitCode.Failed,
        $"The base image {Registry}/{Repository}:{Target} cannot be had: {why}. Nothing was changed on any host, and what ran there runs on. "
        + "Check the network and the option --base-image, and run the command again.");
}
