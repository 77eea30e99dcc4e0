using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Lab.Worker.Inference;

/// <summary>
/// Asks EC2's instance metadata service, version 2, whether EC2 takes this spot instance back: two minutes before it does,
/// there is a document at <c>spot/instance-action</c> (EC2 User Guide, "Spot Instance interruption notices").
/// </summary>
/// <param name="http">What asks; no answer of it may be longer than <see cref="MaxAnswerBytes"/>.</param>
/// <param name="service">The service's base address.</param>
/// <param name="time">The clock.</param>
internal sealed class SpotNotices(HttpClient http, Uri service, TimeProvider time)
{
    /// <summary>No answer of the service is longer, in bytes.</summary>
    public const int MaxAnswerBytes = 4096;

    /// <summary>How long each call may take.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    // The longest that the service grants.
    private const string TokenSeconds = "21600";
    private static readonly string[] Actions = ["terminate", "stop", "hibernate"];
    private readonly Uri _tokenAddress = new(service, "/latest/api/token");
    private readonly Uri _actionAddress = new(service, "/latest/meta-data/spot/instance-action");
    private string? _token;

    /// <summary>A client for it: no proxy is between a machine and its metadata, and no other server is asked in its place.</summary>
    public static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        MaxResponseContentBufferSize = MaxAnswerBytes,
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    };

    /// <summary>When EC2 takes the instance back, or null: it has not said so.</summary>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="SpotNoticeException">The service does not answer, or not as it should; the message is one line.</exception>
    public async Task<DateTimeOffset?> AskAsync(CancellationToken cancellationToken)
    {
        var isFresh = _token is null;
        _token ??= await TokenAsync(cancellationToken);
        var (status, body) = await ActionAsync(_token, cancellationToken);
        // A token ends with its time, and with the machine that gave it.
        if (status is HttpStatusCode.Unauthorized && !isFresh)
        {
            _token = await TokenAsync(cancellationToken);
            (status, body) = await ActionAsync(_token, cancellationToken);
        }

        return status switch
        {
            HttpStatusCode.NotFound => null,
            HttpStatusCode.OK => Read(body),
            _ => throw Forgetting(new SpotNoticeException($"it answers {(int)status}")),
        };
    }

    /// <summary>Reads <c>{"action":"terminate","time":"2026-01-01T00:00:00Z"}</c>.</summary>
    /// <exception cref="SpotNoticeException">It is something else.</exception>
    internal static DateTimeOffset Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.ValueKind is JsonValueKind.Object
                && root.TryGetProperty("action", out var action) && action.ValueKind is JsonValueKind.String && Actions.Contains(action.GetString())
                && root.TryGetProperty("time", out var time) && time.ValueKind is JsonValueKind.String
                && DateTimeOffset.TryParseExact(time.GetString(), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
            {
                return at;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is the reader's word for what is not Unicode.
        }

        throw new SpotNoticeException("its notice cannot be read");
    }

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, _tokenAddress);
        request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", TokenSeconds);
        var (status, body) = await SendAsync(request, cancellationToken);
        if (status is not HttpStatusCode.OK) throw new SpotNoticeException($"it gives no token and answers {(int)status}");
        // It becomes a header of the next request.
        return body.Length > 0 && body.All(letter => letter is > ' ' and <= '~') ? body : throw new SpotNoticeException("its token is none");
    }

    private async Task<(HttpStatusCode Status, string Body)> ActionAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _actionAddress);
        request.Headers.Add("X-aws-ec2-metadata-token", token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        return await SendAsync(request, cancellationToken);
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var answer = await http.SendAsync(request, both.Token);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(both.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SpotNoticeException($"it does not answer within {Timeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            throw new SpotNoticeException((e.InnerException ?? e).Message.ReplaceLineEndings(" ").TrimEnd('.'), e);
        }
    }

    // What answers so may be another machine's, or none of EC2's: it is asked for a token anew.
    private SpotNoticeException Forgetting(SpotNoticeException exception)
    {
        _token = null;
        return exception;
    }
}

/// <summary>The metadata service does not say whether the instance is taken back.</summary>
internal sealed class SpotNoticeException : Exception
{
    /// <param name="message">Why, as a part of one line.</param>
    /// <param name="cause">What was thrown, or null.</param>
    public SpotNoticeException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
