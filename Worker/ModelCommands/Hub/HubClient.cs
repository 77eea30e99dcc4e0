using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lab.Worker.ModelCommands.Hub;

/// <summary>
/// The Hugging Face hub over HTTPS: what files a model has, and their content
/// (https://huggingface.co/docs/hub/api). The token goes to the hub's own host and nowhere else, and into no message.
/// </summary>
internal sealed partial class HubClient : IDisposable
{
    /// <summary>The hub, where <c>HF_ENDPOINT</c> names no mirror.</summary>
    public const string StandardEndpoint = "https://huggingface.co";

    private const int MaxMetadataBytes = 16 << 20;
    private const int MaxRedirects = 5;

    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        // Followed by hand, since the token must not travel to another host.
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        AutomaticDecompression = DecompressionMethods.None,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Uri _endpoint;
    private readonly string? _token;

    /// <summary>A client.</summary>
    /// <param name="endpoint">The hub's address, or its mirror's.</param>
    /// <param name="token">The user's token, or null.</param>
    /// <exception cref="HubException">The address is none, or a token would travel unencrypted.</exception>
    public HubClient(string endpoint, string? token)
    {
        if (!Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            throw new HubException("HF_ENDPOINT is no http or https address");
        if (token is not null && uri.Scheme == "http" && !uri.IsLoopback)
            throw new HubException("HF_TOKEN would travel unencrypted: HF_ENDPOINT begins with http://");
        if (token is not null && token.Any(c => char.IsControl(c) || c == ' ')) throw new HubException("HF_TOKEN is no token: it has a space or a line break in it");
        _endpoint = uri;
        _token = token;
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("lab-worker", typeof(HubClient).Assembly.GetName().Version!.ToString(3)));
    }

    /// <summary>Refuses what is no model's name.</summary>
    /// <exception cref="HubException">It is none.</exception>
    public static void CheckName(string id)
    {
        if (!ModelId().IsMatch(id) || id.Contains("..", StringComparison.Ordinal)) throw new HubException($"\"{id}\" is no model's name; it must be like owner/name");
    }

    /// <summary>The commit to which a revision points, and the files there.</summary>
    /// <param name="id">The model, such as <c>distilbert/distilbert-base-uncased</c>.</param>
    /// <param name="revision">A commit, branch or tag.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HubException">There is no such model, it needs a token, or the answer is none of the hub's.</exception>
    /// <exception cref="HttpRequestException">The hub cannot be reached, or fails.</exception>
    public async Task<(string Commit, IReadOnlyDictionary<string, HubFile> Files)> FilesAsync(string id, string revision, CancellationToken cancellationToken)
    {
        CheckName(id);
        using var response = await GetAsync($"api/models/{id}/revision/{Uri.EscapeDataString(revision)}?blobs=true", null, cancellationToken);
        if (Refusal(response, $"{id} at {revision}") is { } refusal) throw refusal;
        response.EnsureSuccessStatusCode();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(HeaderTimeout);
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxMetadataBytes, timeout.Token);
            using var json = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(timeout.Token), cancellationToken: timeout.Token);
            var commit = json.RootElement.GetProperty("sha").GetString() ?? "";
            if (!Commit().IsMatch(commit)) throw new HubException("the hub's answer names no commit");
            var files = json.RootElement.GetProperty("siblings").EnumerateArray().Select(Describe).OfType<HubFile>();
            return (commit, files.DistinctBy(file => file.Name).ToDictionary(file => file.Name, StringComparer.Ordinal));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new HubException($"the answer of {_endpoint.Host} is none of the hub's");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{_endpoint.Host} does not answer");
        }
    }

    /// <summary>Asks for a file's content, or for a part of it; the answer may be the whole file all the same.</summary>
    /// <param name="id">The model.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="range">The bytes asked for; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HubException">It is refused for good.</exception>
    /// <exception cref="HttpRequestException">The hub cannot be reached, or fails.</exception>
    public async Task<HttpResponseMessage> OpenAsync(string id, string commit, string name, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        var response = await GetAsync($"{id}/resolve/{commit}/{Uri.EscapeDataString(name)}", range, cancellationToken);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            if (Refusal(response, $"{id}/{name}") is { } refusal) throw refusal;
            throw new HttpRequestException($"{_endpoint.Host} answers {(int)response.StatusCode}", null, response.StatusCode);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> GetAsync(string path, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        var address = new Uri(_endpoint, path);
        for (var redirects = 0; redirects <= MaxRedirects; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Range = range;
            if (_token is not null && IsHub(address)) request.Headers.Authorization = new("Bearer", _token);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(HeaderTimeout);
            HttpResponseMessage response;
            try
            {
                response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new HttpRequestException($"{address.Host} does not answer");
            }

            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location) return response;
            response.Dispose();
            var next = new Uri(address, location);
            if (next.Scheme != "https" && (address.Scheme == "https" || next.Scheme != "http"))
                throw new HubException($"{address.Host} sends on to an unencrypted address");
            address = next;
        }

        throw new HubException($"{_endpoint.Host} sends from one address to the next without end");
    }

    private bool IsHub(Uri address) => address.Scheme == _endpoint.Scheme && address.Authority == _endpoint.Authority;

    // The hub says what it means in headers of its own, as its Python library reads them (huggingface_hub, hf_raise_for_status).
    private HubException? Refusal(HttpResponseMessage response, string what) => (Header(response, "X-Error-Code"), response.StatusCode) switch
    {
        ("GatedRepo", _) => new(_token is null
            ? $"{what}: the model is gated; ask for access on its page at {_endpoint.Host}, and give your token in HF_TOKEN"
            : $"{what}: the model is gated, and the token in HF_TOKEN has no access; ask for it on the model's page at {_endpoint.Host}"),
        ("RevisionNotFound", _) => new($"{what}: the hub has the model, but no such revision"),
        (_, HttpStatusCode.Unauthorized) when Header(response, "X-Error-Message") is "Invalid credentials in Authorization header" =>
            new($"{what}: the hub does not know the token in HF_TOKEN; it is mistyped or has been revoked"),
        // The hub does not tell strangers whether a model exists.
        (_, HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) => new(_token is null
            ? $"{what}: there is no such model, or it is not open to all; HF_TOKEN gives your token"
            : $"{what}: there is no such model, or the token in HF_TOKEN does not open it"),
        (_, HttpStatusCode.NotFound) => new($"{what}: the hub has no such model, revision or file"),
        (_, >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError
            and not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout) and var status) => new($"{what}: the hub answers {(int)status}"),
        _ => null,
    };

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static HubFile? Describe(JsonElement sibling)
    {
        var name = Text(sibling, "rfilename");
        if (sibling.TryGetProperty("lfs", out var lfs) && lfs.ValueKind is JsonValueKind.Object) return new(name, Size(lfs), Text(lfs, "sha256"), null);
        return sibling.TryGetProperty("size", out _) && sibling.TryGetProperty("blobId", out _)
            ? new(name, Size(sibling), null, Text(sibling, "blobId"))
            : null;
    }

    private static long Size(JsonElement of) =>
        of.GetProperty("size").GetInt64() is >= 0 and var size ? size : throw new FormatException("A size is less than nothing.");

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");

    [GeneratedRegex(@"^[\w.-]{1,96}(/[\w.-]{1,96})?\z")]
    private static partial Regex ModelId();

    [GeneratedRegex(@"^[0-9a-f]{40}\z")]
    private static partial Regex Commit();
}
