using System.IO.Compression;
using System.Text;
using static Lab.Orchestrator.Tests.Workers.Hostile.End;
using static Lab.Orchestrator.Tests.Workers.Hostile.Exchange;
using static Lab.Orchestrator.Tests.Workers.Hostile.Part;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>Answers in good HTTP that are none, or another text's.</summary>
internal static class AnswerParts
{
    private const string Foreign = """
        "label":"FOREIGN","probabilities":[0.8,0.1,0.1],"truncated":false
        """;

    private static readonly string[] Refusals = ["400 Bad Request", "413 Payload Too Large", "422 Unprocessable Entity"];

    public static IEnumerable<Part> All =>
    [
        Says("the answer twice in one packet", Either, exchange => exchange.Good() + exchange.Good()),
        new("the answer again 10 ms later", Either, exchange => AgainAsync(exchange, TimeSpan.FromMilliseconds(10))),
        new("the answer again 1.5 s later", Either, exchange => AgainAsync(exchange, TimeSpan.FromSeconds(1.5))) { Times = 2 },
        Tells("an answer to another text", Quarantined, exchange => exchange.IsBatch
            ? BatchOf(exchange.Results(tokens: _ => Guid.NewGuid().ToString("N")))
            : exchange.Answer(texts: text => text + "!")),
        Says("the answer to the text before", Quarantined, exchange =>
        {
            var before = exchange.Before ?? Ok("{}");
            exchange.Good();
            return before;
        }),

        Batch("two results swapped", exchange => exchange.Results() is [var first, var second, .. var rest] ? [second, first, .. rest] : ["{}"]),
        Batch("results reversed", exchange => exchange.Texts.Count > 1 ? [.. exchange.Results().Reverse()] : ["{}"]),
        Batch("a result missing", exchange => exchange.Results()[1..]),
        Batch("a result too many", exchange => [.. exchange.Results(), exchange.Results()[0]]),
        Batch("the first result for all", exchange => exchange.Texts.Count > 1 ? [.. exchange.Results().Select(_ => exchange.Results()[0])] : ["{}"]),
        Batch("results without tokens", exchange => [.. exchange.Texts.Select(text => $"{{{Honest.MembersOf(text)}}}")]),
        Batch("results with other tokens", exchange => exchange.Results(tokens: token => new([.. token.Reverse()]))),
        Batch("results that are null", exchange => [.. exchange.Texts.Select(_ => "null")]),
        Batch("a hundred thousand results", _ => [.. Enumerable.Repeat("{}", 100_000)]),
        Batch("logits of another label", exchange => exchange.Results(text => $"\"label\":\"{Honest.LabelOf(text)}\",\"probabilities\":[{string.Join(',', Honest.ProbabilitiesOf(text))}],\"logits\":[{string.Join(',', Honest.LogitsOf(text).Select(logit => -logit))}]")),
        Tells("no results at all", Quarantined, exchange => exchange.IsBatch ? "{\"inference_ms\":1,\"results\":null}" : "null"),

        .. Refusals.Select(status =>
            Says($"refuses all by {status}", Quarantined, _ => Problem(status, "It is too strange."))),
        Says("refuses all by errors of results", Quarantined, exchange => exchange.IsBatch
            ? Ok(BatchOf(exchange.Results(_ => "\"error\":\"It is too strange.\"")))
            : Problem("422 Unprocessable Entity", "It is too strange.")),
        Says("refuses every second", Either, exchange => exchange.Number % 2 == 0 ? exchange.Good()
            : exchange.IsBatch ? Ok(BatchOf(exchange.Results(_ => "\"error\":\"It is too strange.\"")))
            : Problem("422 Unprocessable Entity", "It is too strange.")),
        Says("refuses with a megabyte of control characters", Quarantined, exchange => exchange.IsBatch
            ? Ok(BatchOf(exchange.Results(_ => "\"error\":\"\\u001b[31m\\u202e\\u0007\\n\"")))
            : Problem("422 Unprocessable Entity", string.Concat(Enumerable.Repeat("\u001b[31m\u202e\r\n", 4000)))),

        Tells("nested a hundred thousand deep", Quarantined, _ => $"{{\"x\":{new string('[', 100_000)}{new string(']', 100_000)}}}"),
        Tells("every member twice, the last one wrong", Quarantined, exchange => exchange.Answer(text => $"{Honest.MembersOf(text)},{Foreign}")),
        Tells("every member twice, the last one right", Harmless, exchange => exchange.Answer(text => $"{Foreign},{Honest.MembersOf(text)}")),
        new("invalid UTF-8", Quarantined, exchange => exchange.SendAsync(Invalid(Ok(exchange.Answer(text => Honest.MembersOf(text).Replace("\"label\":\"", "\"label\":\"\u0001", StringComparison.Ordinal)))))),
        Tells("half a surrogate pair in the label", Quarantined, exchange => exchange.Answer(text => $"{Honest.MembersOf(text)},\"label\":\"\\ud83d\"")),
        Tells("half a surrogate pair in a name", Quarantined, exchange => exchange.Answer(text => $"{Honest.MembersOf(text)},\"\\ud83dabel\":\"A\"")),
        Tells("a label of a megabyte", Quarantined, exchange => exchange.Answer(text => $"{Honest.MembersOf(text)},\"label\":\"{new string('L', 1024 * 1024)}\"")),
        Tells("a label that the model has not", Quarantined, exchange => exchange.Answer(_ => Foreign)),
        Tells("two probabilities of three", Quarantined, Probabilities("0.9,0.1")),
        Tells("a million probabilities", Quarantined, Probabilities(string.Join(',', Enumerable.Repeat("0", 1_000_000)))),
        Tells("a probability above one", Quarantined, Probabilities("1.5,1.5,1.5")),
        Tells("a probability below zero", Quarantined, Probabilities("-0.1,-0.1,-0.1")),
        Tells("a probability that is NaN", Quarantined, Probabilities("NaN,0.1,0.1")),
        Tells("a probability that is \"Infinity\"", Quarantined, Probabilities("\"Infinity\",0.1,0.1")),
        Tells("a probability of 1e39", Quarantined, Probabilities("1e39,0.1,0.1")),
        Tells("a time of 1e400", Quarantined, exchange => exchange.Answer(milliseconds: "1e400")),
        Tells("a time below zero", Quarantined, exchange => exchange.Answer(milliseconds: "-1")),
        Tells("a label that is not the most probable", Quarantined, exchange => exchange.Answer(text =>
            $"{Honest.MembersOf(text)},\"label\":\"{Honest.Labels[(Honest.ClassOf(text) + 1) % Honest.Labels.Count]}\"")),
        new("packed by gzip", Quarantined, async exchange =>
        {
            using var packed = new MemoryStream();
            await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(exchange.Answer()));
            await exchange.SendAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n");
            await exchange.SendAsync(packed.ToArray());
        }),
    ];

    private static async Task AgainAsync(Exchange exchange, TimeSpan later)
    {
        var answer = exchange.Good();
        await exchange.SendAsync(answer);
        // The next request comes meanwhile, and finds this before its own answer.
        await exchange.WaitAsync(later);
        await exchange.SendAsync(answer);
    }

    private static Func<Exchange, string> Probabilities(string list) => exchange =>
        exchange.Answer(text => $"\"label\":\"{Honest.LabelOf(text)}\",\"probabilities\":[{list}],\"logits\":[1,1,1],\"truncated\":false");

    private static byte[] Invalid(string response)
    {
        var bytes = Encoding.UTF8.GetBytes(response);
        // No byte of UTF-8 is 0xFF.
        for (var i = 0; i < bytes.Length; i++)
            if (bytes[i] == 1) bytes[i] = 0xFF;
        return bytes;
    }
}
