using System.Text;
using static Lab.Orchestrator.Tests.Workers.Hostile.End;
using static Lab.Orchestrator.Tests.Workers.Hostile.Exchange;
using static Lab.Orchestrator.Tests.Workers.Hostile.Part;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>What a worker can do to the connection, and what it can say of itself.</summary>
internal static class ConnectionParts
{
    // Made once: the worker shall take the orchestrator's memory, not the tests'.
    private static readonly Lazy<byte[]> TwoMillionLabels = new(() => Encoding.UTF8.GetBytes(Info(labels: string.Join(',', Enumerable.Range(0, 2_000_000).Select(i => $"\"{i}\":\"\"")))));

    public static IEnumerable<Part> All =>
    [
        new("accepts and never reads", Quarantined, exchange => exchange.SendAsync(exchange.Good())) { Greet = exchange => exchange.NeverReadAsync(), Times = 1 },
        new("reads and never answers", Quarantined, exchange => exchange.UntilClosedAsync()) { Times = 1 },
        new("slow, but in time", Harmless, async exchange =>
        {
            await exchange.WaitAsync(0.6 * HostileLab.DispatchTimeout);
            await exchange.SendAsync(exchange.Good());
        }) { Times = 2 },
        new("closes after each answer without saying so", Harmless, async exchange =>
        {
            await exchange.SendAsync(exchange.Good());
            exchange.Close();
        }) { Times = 20 },
        new("resets after each answer", Harmless, async exchange =>
        {
            await exchange.SendAsync(exchange.Good());
            // Once the answer has been read: a reset takes with it what lies unread.
            await exchange.WaitAsync(TimeSpan.FromMilliseconds(5));
            exchange.Reset();
        }) { Times = 20 },
        new("closes in the middle of the body", Quarantined, async exchange =>
        {
            await exchange.SendAsync(exchange.Good()[..^10]);
            exchange.Close();
        }),
        new("resets in the middle of the body", Quarantined, async exchange =>
        {
            await exchange.SendAsync(exchange.Good()[..^10]);
            exchange.Reset();
        }),
        new("closes instead of an answer", Quarantined, exchange => { exchange.Close(); return Task.CompletedTask; }),
        new("closes at accept", Quarantined, exchange => exchange.SendAsync(exchange.Good())) { Greet = exchange => { exchange.Close(); return Task.CompletedTask; } },
        new("resets at accept", Quarantined, exchange => exchange.SendAsync(exchange.Good())) { Greet = exchange => { exchange.Reset(); return Task.CompletedTask; } },
        new("answers before it is asked", Quarantined, exchange => exchange.SendAsync(exchange.Good()))
        {
            Greet = exchange => exchange.SendAsync(Ok("""{"input_text":"forged","label":"CALM","probabilities":[0.1,0.8,0.1],"inference_ms":1,"truncated":false}""")),
        },
        new("TLS instead of HTTP", Quarantined, exchange => exchange.UntilClosedAsync())
        {
            Greet = exchange => exchange.SendAsync((byte[])[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
            Times = 1,
        },

        new("well, and 404 for all else", Quarantined, NotFoundAsync) { Info = NotFoundAsync },
        new("fails, and recovers as another model", Quarantined, exchange => exchange.SendAsync(Response("500 No", "")))
        {
            Info = exchange => exchange.SendAsync(exchange.Number == 1 ? Info() : Info(labels: "\"0\":\"A\",\"1\":\"B\"")),
        },
        Untrusted("an endless /health") with { Health = exchange => exchange.FloodAsync("HTTP/1.1 200 OK\r\n\r\n", "          ") },
        Untrusted("a /health of headers without end") with { Health = exchange => exchange.FloodAsync("HTTP/1.1 200 OK\r\n", "X-More: \u0007 0123456789\r\n") },
        Untrusted("a /health of 100 without end") with { Health = exchange => exchange.FloodAsync("", "HTTP/1.1 100 Continue\r\n\r\n"), Times = 1 },
        Untrusted("a /health of other words") with { Health = exchange => exchange.SendAsync($"HTTP/1.1 \u001b[31m{new string('x', 10_000)}\u0007\r\n\r\n") },
        Untrusted("an /info of 50 MB") with { Info = exchange => exchange.FloodAsync("HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n", "          ") },
        Untrusted("an /info with null members") with { Info = exchange => exchange.SendAsync(Ok("""{"model_id":"stub","model_sha":"5a","model_type":{"classifier":{"id2label":{"0":null},"label2id":null}}}""")) },
        Untrusted("an /info without members") with { Info = exchange => exchange.SendAsync(Ok("""{"model_id":"stub","model_sha":"5a","model_type":{"classifier":null}}""")) },
        Untrusted("an /info with 2 million labels") with
        {
            Info = exchange => exchange.SendAsync(TwoMillionLabels.Value),
            Times = 1,
        },
        Untrusted("an /info with 50,000 labels") with { Info = exchange => exchange.SendAsync(Info(labels: string.Join(',', Enumerable.Range(0, 50_000).Select(i => $"\"{i}\":\"a{i}\"")))) },
        Untrusted("an /info with a label twice") with { Info = exchange => exchange.SendAsync(Info(labels: "\"0\":\"A\",\"1\":\"B\",\"2\":\"A\"")) },
        Untrusted("an /info with control characters") with { Info = exchange => exchange.SendAsync(Info(id: "\\u001b[31m\\u0007", labels: "\"0\":\"\\u202e\\n\",\"1\":\"B\"")) },
        Untrusted("an /info with an error at a name of a megabyte") with { Info = exchange => exchange.SendAsync(Info(labels: $"\"{new string('x', 900_000)}\\u0007\":[]")) },
        Untrusted("an /info with half a surrogate pair") with { Info = exchange => exchange.SendAsync(Info(labels: "\"0\":\"\\ud83d\",\"\\ud83d\":\"B\"")) },
        Untrusted("an /info of other bytes") with { Info = exchange => exchange.SendAsync(Ok("\0\u001b]0;title\u0007")) },
        Tells("tells no model, and answers with one of its own", Quarantined, exchange => exchange.Answer(_ => "\"label\":\"FOREIGN\",\"probabilities\":[0.9,0.1],\"logits\":[1,0],\"truncated\":false")) with { Info = NotFoundAsync },
        Tells("tells no model, and a label of 50,000 characters", Quarantined, exchange => exchange.Answer(_ => $"\"label\":\"\\u0007{new string('L', 50_000)}\",\"probabilities\":[0.9,0.1],\"logits\":[1,0],\"truncated\":false")) with { Info = NotFoundAsync },
    ];

    private static Part Untrusted(string name) => new(name, NeverTrusted, exchange => exchange.SendAsync(exchange.Good())) { Times = 2 };

    private static Task NotFoundAsync(Exchange exchange) => exchange.SendAsync(Response("404 Not Found", ""));

    private static string Info(string id = "stub", string labels = "\"0\":\"ANGRY\",\"1\":\"CALM\",\"2\":\"GLAD\"") => Ok(
        $"{{\"model_id\":\"{id}\",\"model_sha\":\"5a\",\"model_dtype\":\"float32\",\"model_type\":{{\"classifier\":{{\"id2label\":{{{labels}}},\"label2id\":{{\"A\":0,\"B\":1}}}}}},"
        + "\"max_concurrent_requests\":1,\"max_input_length\":512,\"max_batch_tokens\":16384,\"max_client_batch_size\":32,\"auto_truncate\":false,\"tokenization_workers\":1,\"version\":\"1.0.0\"}");
}
