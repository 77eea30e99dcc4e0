using System.Globalization;
using System.Net.Sockets;
using System.Text;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>
/// Mutated requests against every endpoint of a running orchestrator, byte for byte over a socket. Nothing that a client
/// sends may look like a fault of the server, hang, or stay in memory. <c>LAB_FUZZ_ITERATIONS</c> says how many.
/// </summary>
public sealed class FuzzTests
{
    private const int Iterations = 3_000;
    private const int Seed = 20_26;
    private const long MaxGrowth = 192L * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private static readonly string[] Methods = ["GET", "POST", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"];

    private static readonly string[] Paths =
    [
        "/new_request", "/predict", "/rerank", "/info", "/workers", "/workers/worker-1/resume", "/workers/x/drain", "/v2", "/v2/health/live", "/v2/health/ready",
        "/v2/models/stub", "/v2/models/stub/ready", "/v2/models/stub/infer", "/v2/models/stub/versions/1/infer", "/v2/models/%2F/versions/%00", "/v2/models/a%252Fb",
        "/health", "/alive", "/metrics", "/openapi/v1.json", "/scalar", "/requests/0199d3c4-7c1e-7b5a-9a57-0f4f7d7e4c11", "/nothing",
    ];

    private static readonly string[] Bodies =
    [
        """{"text":"a text"}""", "plain text", "", "null", "[]", "{}", """{"text":["a"]}""",
        """{"inputs":"a"}""", """{"inputs":["a","b"],"raw_scores":true}""", """{"inputs":[["a"],["b","c"]],"truncate":true,"truncation_direction":"left"}""",
        """{"id":"1","inputs":[{"name":"text","shape":[2,1],"datatype":"BYTES","data":[["a"],["b"]]}],"outputs":[{"name":"label"}]}""",
        """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}],"parameters":{"x":1}}""",
        """{"text":"a text","text_pair":"and another"}""", """{"query":"a","texts":["b","c"],"return_text":true}""",
    ];

    // What is right before it is mutated comes further than what is thrown together.
    private static readonly (string Path, string Body, string ContentType)[] GoodPosts =
    [
        ("/new_request", Bodies[0], "application/json"), ("/new_request", Bodies[1], "text/plain"), ("/new_request", "", "text/plain"),
        ("/predict", Bodies[7], "application/json"), ("/predict", Bodies[8], "application/json"), ("/predict", Bodies[9], "application/json"),
        ("/v2/models/stub/infer", Bodies[10], "application/json"), ("/v2/models/stub/versions/1/infer", Bodies[11], "application/json"),
        ("/new_request", Bodies[12], "application/json"), ("/rerank", Bodies[13], "application/json"),
    ];

    private static readonly string[] Tokens =
        ["[", "]", "{", "}", "\"", "\\u0000", "\\udc00", "\\", ",", ":", "null", "true", "1e999", "-0", "18446744073709551616", "\u0001", "é", "文", "😀", " ", "\n", "inputs", "text"];

    private static readonly string[] HeaderLines =
    [
        "Content-Type: application/json", "Content-Type: application/json", "Content-Type: text/plain", "Content-Type: text/plain; charset=utf-16", "Content-Type: ;;;",
        "Content-Type: application/json; charset=\"utf-8\"", "Content-Encoding: gzip", "Accept: image/png", "Accept: */*;q=0", "Prefer: wait=0", "Prefer: wait=-1, wait=99999999999999",
        "Prefer: ,,,=;", "Prefer: respond-async", "Prefer: respond-async, wait=1", "Authorization: Bearer", "Authorization: Bearer \u00e9", "traceparent: 00-zz-zz-zz", "tracestate: ,,,", "Idempotency-Key: \"x", "Idempotency-Key: \"same\"", "Expect: 100-continue",
        "X-Forwarded-For: ::::", "Range: bytes=0-0", "If-None-Match: *", "Cookie: a=b;;;", "Upgrade: websocket", "Accept-Encoding: br;q=9",
    ];

    private readonly int[] _answers = new int[1000];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnyRequest_IsAnsweredAndIsNoFaultOfTheServer()
    {
        var iterations = int.TryParse(Environment.GetEnvironmentVariable("LAB_FUZZ_ITERATIONS"), CultureInfo.InvariantCulture, out var asked) ? asked : Iterations;
        await using var lab = await StartAsync(workers: 2, "--Orchestrator:Deadline=00:00:05", "--Logging:LogLevel:Lab.Orchestrator=None");
        await RunAsync(lab, Seed, Math.Min(iterations, 500));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        const int Lanes = 8;
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(() => RunAsync(lab, Seed + 1 + lane, iterations / Lanes))));

        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < MaxGrowth, $"{iterations} requests left {growth} bytes behind.");
        CheckThatManyKindsOfAnswersCame();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", _answers.Index().Where(count => count.Item > 0).Select(count => $"{count.Index}: {count.Item}")));
        using var answer = await lab.PostAsync("still well");
        Assert.Equal("still well", (await ReadAnswerAsync(answer)).InputText);
        Assert.All((await lab.GetWorkersAsync()).Values, worker => Assert.NotEqual("quarantined", worker.Status));
    }

    // A fuzzer that never gets past the door would find nothing.
    private void CheckThatManyKindsOfAnswersCame()
    {
        foreach (var status in (int[])[200, 202, 204, 400, 404, 405, 415, 422]) Assert.True(_answers[status] > 0, $"no answer had the status {status}");
        Assert.True(_answers[200] > _answers.Sum() / 20, $"only {_answers[200]} of {_answers.Sum()} were answered with 200");
    }

    private async Task RunAsync(RunningOrchestrator lab, int seed, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var request = Request(new Random((seed * 1_000_003) + i));
            try
            {
                var status = await SendAsync(lab.Client.BaseAddress!, request);
                Interlocked.Increment(ref _answers[status ?? 0]);
                // 505 is the web server's word for a request line that a mutation has torn apart.
                Assert.True(status is null or < 500 or 503 or 504 or 505, $"status {status}");
            }
            catch (Exception e) when (e is not OperationCanceledException || !Cancellation.IsCancellationRequested)
            {
                throw new InvalidOperationException($"seed {seed}, request {i}: {e.Message}\n{Convert.ToBase64String(request)}\n{Encoding.Latin1.GetString(request[..Math.Min(request.Length, 2000)])}", e);
            }
        }
    }

    /// <summary>Sends bytes on a connection of their own and reads the status; <c>null</c> where the server hangs up unanswered.</summary>
    private static async Task<int?> SendAsync(Uri address, byte[] request)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address.Host, address.Port, patience.Token);
        var answer = new byte[1024];
        var head = "";
        try
        {
            var stream = client.GetStream();
            await stream.WriteAsync(request, patience.Token);
            while (StatusIn(head) is null)
            {
                var reading = stream.ReadAsync(answer, patience.Token).AsTask();
                // What is waited for after that is the rest of a request that has none.
                if (await Task.WhenAny(reading, Task.Delay(Patience, patience.Token)) != reading) client.Client.Shutdown(SocketShutdown.Send);
                var read = await reading;
                if (read == 0) break;
                head += Encoding.Latin1.GetString(answer, 0, read);
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // It may hang up on what it does not want to read to the end.
        }

        return StatusIn(head);
    }

    private static int? StatusIn(string head)
    {
        const string Interim = "HTTP/1.1 1";
        while (head.StartsWith(Interim, StringComparison.Ordinal))
        {
            var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            head = end < 0 ? "" : head[(end + 4)..];
        }

        return head.Length >= "HTTP/1.1 200".Length ? int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture) : null;
    }

    private static byte[] Request(Random random)
    {
        var good = random.Next(5) < 3 ? GoodPosts[random.Next(GoodPosts.Length)] : default;
        var path = Mutated(random, Encoding.UTF8.GetBytes(good.Path ?? Pick(random, Paths)), chance: good.Path is null ? 0.15 : 0.02);
        var body = Mutated(random, Encoding.UTF8.GetBytes(good.Body ?? Pick(random, Bodies)), chance: 0.7);
        using var request = new MemoryStream();
        void Write(string text) => request.Write(Encoding.Latin1.GetBytes(text));

        Write($"{(good.Path is null ? Pick(random, Methods) : "POST")} ");
        request.Write(path);
        if (random.Next(10) == 0) Write("?stream=&a=%zz&a");
        Write(" HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n");
        if (good.ContentType is { } contentType) Write($"Content-Type: {contentType}\r\n");
        for (var headers = random.Next(4); headers > 0; headers--)
        {
            request.Write(Mutated(random, Encoding.Latin1.GetBytes(Pick(random, HeaderLines)), chance: 0.1));
            Write("\r\n");
        }

        switch (random.Next(12))
        {
            case 0:
                Write($"Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n");
                request.Write(body);
                Write("\r\n0\r\n\r\n");
                break;
            case 1 when random.Next(4) == 0:
                // Less than it says: the client goes in the middle of its body.
                Write($"Content-Length: {body.Length + random.Next(1, 100)}\r\n\r\n");
                request.Write(body);
                break;
            case 2 when random.Next(4) == 0:
                Write("Transfer-Encoding: chunked\r\n\r\nzz\r\n");
                request.Write(body);
                break;
            default:
                Write($"Content-Length: {body.Length}\r\n\r\n");
                request.Write(body);
                break;
        }

        return request.ToArray();
    }

    private static byte[] Mutated(Random random, byte[] bytes, double chance)
    {
        var result = bytes.ToList();
        while (random.NextDouble() < chance)
        {
            var at = random.Next(result.Count + 1);
            switch (random.Next(6))
            {
                case 0: result.InsertRange(at, Encoding.UTF8.GetBytes(Pick(random, Tokens))); break;
                case 1 when at < result.Count: result.RemoveRange(at, random.Next(1, Math.Min(8, result.Count - at) + 1)); break;
                case 2 when at < result.Count: result[at] = (byte)random.Next(256); break;
                case 3: result.InsertRange(at, result.Skip(at).Take(random.Next(20)).ToList()); break;
                case 4: result.InsertRange(at, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Pick(random, Tokens), random.Next(1, 200))))); break;
                default: result.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. result];
    }

    private static string Pick(Random random, string[] choices) => choices[random.Next(choices.Length)];
}
