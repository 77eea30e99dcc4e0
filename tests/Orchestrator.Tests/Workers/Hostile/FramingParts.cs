using System.Text;
using static Lab.Orchestrator.Tests.Workers.Hostile.End;
using static Lab.Orchestrator.Tests.Workers.Hostile.Exchange;
using static Lab.Orchestrator.Tests.Workers.Hostile.Part;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>What is no HTTP, or not the HTTP that was asked for.</summary>
internal static class FramingParts
{
    private const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    public static IEnumerable<Part> All =>
    [
        Says("429 always", Harmless, _ => Response("429 Too Many Requests", "")),
        Says("503 always", Quarantined, _ => Response("503 Service Unavailable", "")),
        Says("500 always", Quarantined, _ => Response("500 Internal Server Error", "")),
        Says("302 to itself", Quarantined, exchange => Response("302 Found", "", $"Location: {exchange.Path}\r\n")),
        Says("204 always", Quarantined, _ => "HTTP/1.1 204 No Content\r\n\r\n"),
        Says("101, another protocol", Quarantined, _ => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        Floods("100 without end", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        Hangs("100 and then nothing", _ => "HTTP/1.1 100 Continue\r\n\r\n"),

        Floods("headers without end", "HTTP/1.1 200 OK\r\n", "X-More: 0123456789\r\n"),
        Hangs("a head without its end", _ => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"),
        Floods("one header without end", "HTTP/1.1 200 OK\r\nX-More: ", "0123456789"),
        Says("a header of a megabyte", Quarantined, exchange => Ok(exchange.Answer(), $"X-More: {new string('x', 1024 * 1024)}\r\n")),
        Says("NUL in a header", Quarantined, exchange => Ok(exchange.Answer(), "X-More: a\0b\r\n")),
        Says("a folded header", Quarantined, exchange => Ok(exchange.Answer(), "X-More: a\r\n b: c\r\n")),
        Says("a line feed in a header", Quarantined, exchange => Ok(exchange.Answer(), "X-More: a\nTransfer-Encoding: chunked\r\n")),
        Says("a space before a colon", Quarantined, exchange => Ok(exchange.Answer(), "Content-Length : 3\r\n")),
        Says("control characters in the status line", Quarantined, _ => "HTTP/1.1 500 \u001b[31m\u0007\r\nContent-Length: 0\r\n\r\n"),
        Says("two lengths", Quarantined, exchange => Ok(exchange.Answer(), "Content-Length: 3\r\n")),
        Says("a length and chunks", Either, exchange => Both(exchange.Answer())),
        Says("a length below zero", Quarantined, _ => "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        Says("a length with a sign", Quarantined, exchange => Ok(exchange.Answer()).Replace("Content-Length: ", "Content-Length: +", StringComparison.Ordinal)),
        Says("a length beyond 64 bits", Quarantined, _ => "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        Says("a length of 9 exabytes", Quarantined, _ => "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"),
        Says("too short a length", Quarantined, exchange => Ok(exchange.Answer()[..10]) + exchange.Answer()[10..] + exchange.Good()),
        Hangs("too great a length", exchange => Ok(exchange.Answer()).Replace("Content-Length: ", "Content-Length: 1", StringComparison.Ordinal)),

        Floods("a chunk's extension without end", $"{Chunked}1;", "x=0123456789;"),
        Floods("chunks with extensions without end", Chunked, $"1;{new string('x', 1000)}\r\na\r\n"),
        Floods("trailers without end", $"{Chunked}0\r\n", "X-More: 0123456789\r\n"),
        Floods("a chunked body without end", Chunked, $"400\r\n{new string(' ', 1024)}\r\n"),
        Floods("a body without length and end", "HTTP/1.1 200 OK\r\n\r\n", "          "),
        Floods("a body of 100 MB", "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "          "),
        Says("a chunk of 2 GiB", Quarantined, _ => $"{Chunked}80000000\r\na"),
        Says("a chunk of 64 bits", Quarantined, _ => $"{Chunked}10000000000000001\r\na\r\n0\r\n\r\n"),
        Says("a chunk of -1", Quarantined, _ => $"{Chunked}-1\r\na\r\n0\r\n\r\n"),
        Says("a chunk without its line's end", Quarantined, exchange => $"{Chunked}{exchange.Answer().Length:x}\r\n{exchange.Answer()}0\r\n\r\n0\r\n\r\n"),
        new("a chunk for each byte", Harmless, exchange => exchange.SendAsync(
            $"{Chunked}{string.Concat(Encoding.UTF8.GetBytes(Ascii(exchange.Answer())).Select(one => $"1\r\n{(char)one}\r\n"))}0\r\n\r\n")),

        new("a byte now and then", Quarantined, exchange => exchange.TrickleAsync(Ok(exchange.Answer()))) { Times = 1 },
        Says("HTTP/1.0", Harmless, exchange => Ok(exchange.Answer()).Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal)),
        new("HTTP/0.9", Quarantined, async exchange =>
        {
            await exchange.SendAsync(exchange.Answer());
            exchange.Close();
        }),
        Says("HTTP/2", Quarantined, _ => "\0\0\u0012\u0004\0\0\0\0\0\0\u0003\0\0\0d\0\u0004\0\u0010\0\0\r\n\r\n"),
        Says("a status of four digits", Quarantined, exchange => Ok(exchange.Answer()).Replace(" 200 ", " 2000 ", StringComparison.Ordinal)),
    ];

    private static string Both(string answer) =>
        $"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{Encoding.UTF8.GetByteCount(answer):x}\r\n{answer}\r\n0\r\n\r\n";

    // Cut into bytes, only ASCII can be put together from characters again.
    private static string Ascii(string json) => string.Concat(json.Select(one => one < 128 ? $"{one}" : $"\\u{(int)one:x4}"));
}
