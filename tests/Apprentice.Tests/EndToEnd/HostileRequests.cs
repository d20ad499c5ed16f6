using System.Globalization;
using System.Text;

namespace Apprentice.Tests.EndToEnd;

/// <summary>A request that a server must refuse.</summary>
/// <param name="Name">What it tries.</param>
/// <param name="Status">What it must be answered with.</param>
/// <param name="Code">The error's code; "none" for an error without one; null where the HTTP itself is broken, which is answered without a body.</param>
/// <param name="Bytes">What is sent, given the server's key.</param>
/// <param name="Trickle">What is sent thereafter, a byte a second.</param>
/// <param name="Open">Whether it goes to the server that needs no key.</param>
internal sealed record HostileRequest(string Name, int Status, string? Code, Func<string, byte[]> Bytes, byte[]? Trickle = null, bool Open = false);

/// <summary>What strangers send to a server, or what they would.</summary>
internal static class HostileRequests
{
    /// <summary>Stands for what a user would not have in a log: it is in prompts, names, paths and headers.</summary>
    public const string Secret = "moonstone";

    private const string Inject = "\r\n\e[31mFORGED moonstone";
    private const string ChatPath = "/v1/chat/completions";

    public static IReadOnlyList<HostileRequest> All { get; } =
    [
        // Too much, too deep, too slow.
        new("body larger than the limit, as its length says", 413, "request_too_large", key => Raw("POST", ChatPath, key, "x", $"{Json}Content-Length: 5000000\r\n")),
        new("body larger than the limit, in chunks", 413, "request_too_large", key => Chunked(key, [.. Enumerable.Repeat(new string(' ', 1 << 20), 6)])),
        new("body larger than any number", 400, null, key => Raw("POST", ChatPath, key, "x", $"{Json}Content-Length: 99999999999999999999\r\n")),
        new("negative length", 400, null, key => Raw("POST", ChatPath, key, "x", $"{Json}Content-Length: -1\r\n")),
        new("JSON nested 100,000 deep", 400, "invalid_json", key => Post(key, new string('[', 100_000))),
        new("JSON nested 5,000 deep in a message", 400, "invalid_json", key => Chat(key, $"\"metadata\":{string.Concat(Enumerable.Repeat("{\"a\":", 5000))}1{new string('}', 5000)}")),
        new("300,000 values", 400, "invalid_json", key => Chat(key, $"\"stop\":[{string.Join(',', Enumerable.Repeat("1", 300_000))}]")),
        new("10,001 messages", 400, "array_above_max_length", key => Post(key, $"{{\"model\":\"base\",\"messages\":[{string.Join(',', Enumerable.Repeat("{\"role\":\"user\",\"content\":\"x\"}", 10_001))}]}}")),
        new("10,000 stop strings", 400, "array_above_max_length", key => Chat(key, $"\"stop\":[{string.Join(',', Enumerable.Repeat("\"x\"", 10_000))}]")),
        new("logit_bias of 50,000 tokens", 400, "invalid_value", key => Chat(key, $"\"logit_bias\":{{{string.Join(',', Enumerable.Range(0, 50_000).Select(i => $"\"{i}\":1"))}}}")),
        new("prompt far beyond the context", 400, "context_length_exceeded", key => Post(key, $"{{\"model\":\"base\",\"messages\":[{{\"role\":\"user\",\"content\":\"{string.Concat(Enumerable.Repeat("moonstone ", 200_000))}\"}}]}}")),
        new("200 headers", 431, null, key => Raw("GET", "/v1/models", key, "", string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: moonstone\r\n")))),
        new("header of 64 KiB", 431, null, key => Raw("GET", "/v1/models", key, "", $"X-A: {new string('a', 1 << 16)}\r\n")),
        new("address of 64 KiB", 414, null, key => Raw("GET", $"/v1/models/{new string('a', 1 << 16)}", key)),
        new("headers that never end", 408, null, _ => Bytes("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"), [.. Enumerable.Repeat((byte)'a', 50)]),
        new("body that trickles", 408, "request_too_slow", key => Raw("POST", ChatPath, key, "{", $"{Json}Content-Length: 1000\r\n"), [.. Enumerable.Repeat((byte)' ', 50)]),

        // HTTP that two readers could read in two ways.
        new("Content-Length beside Transfer-Encoding", 400, "bad_request", key => Raw("POST", ChatPath, key, "0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n", $"{Json}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
        new("two Content-Lengths", 400, null, key => Raw("POST", ChatPath, key, "{}", $"{Json}Content-Length: 2\r\nContent-Length: 40\r\n")),
        new("two Content-Lengths in one", 400, null, key => Raw("POST", ChatPath, key, "{}", $"{Json}Content-Length: 2, 2\r\n")),
        new("Transfer-Encoding that nobody knows", 400, null, key => Raw("POST", ChatPath, key, "0\r\n\r\n", $"{Json}Transfer-Encoding: xchunked\r\n")),
        new("Transfer-Encoding that does not end in chunked", 400, null, key => Raw("POST", ChatPath, key, "0\r\n\r\n", $"{Json}Transfer-Encoding: chunked, identity\r\n")),
        new("space before a header's colon", 400, null, key => Raw("POST", ChatPath, key, "0\r\n\r\n", $"{Json}Transfer-Encoding : chunked\r\n")),
        new("folded header", 400, null, key => Raw("POST", ChatPath, key, "{}", $"{Json}Content-Length:\r\n 2\r\n")),
        new("chunk without a size", 400, "bad_request", key => Raw("POST", ChatPath, key, "zz\r\n{}\r\n0\r\n\r\n", $"{Json}Transfer-Encoding: chunked\r\n")),
        new("header with a NUL", 400, null, key => Raw("GET", "/v1/models", key, "", "X-A: a\0b\r\n")),
        new("no HTTP at all", 400, null, _ => [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x0d, 0x0a, 0x0d, 0x0a]), // as TLS begins
        new("HTTP/9.9", 505, null, _ => Bytes("GET /health HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n")),

        // Paths and names.
        new("path out of the models", 404, "unknown_url", key => Raw("GET", "/v1/models/../../etc/passwd", key)),
        new("path out of the models, escaped", 404, "unknown_url", key => Raw("GET", "/v1/models/%2e%2e/%2e%2e/etc/passwd", key)),
        new("path out of the models, slashes escaped", 404, "model_not_found", key => Raw("GET", "/v1/models/..%2f..%2fetc%2fpasswd", key)),
        new("path out of the models, escaped twice", 404, "model_not_found", key => Raw("GET", "/v1/models/%252e%252e%252fetc%252fpasswd", key)),
        new("path with an escaped NUL", 400, null, key => Raw("GET", "/v1/models/base%00.gguf", key)),
        new("path of bytes that are no UTF-8", 404, "model_not_found", key => Raw("GET", "/v1/models/%ff%fe", key)),
        new("fine-tuned model with a path in its name", 404, "model_not_found", key => Raw("GET", "/v1/models/ft:base:..%2f..%2fx:1a2b3c", key)),
        new("model that is a path", 404, "model_not_found", key => Model(key, "../../../../etc/passwd")),
        new("model that is a file", 404, "model_not_found", key => Model(key, Environment.ProcessPath!.Replace("\\", "/", StringComparison.Ordinal))),
        new("fine-tuned model that is a path", 404, "model_not_found", key => Model(key, "ft:base:../..:1a2b3c")),
        new("model with a NUL", 404, "model_not_found", key => Model(key, "base\\u0000")),
        new("model with an empty name", 404, "model_not_found", key => Model(key, "")),

        // Keys.
        new("wrong key", 401, "invalid_api_key", _ => Raw("GET", "/v1/models", "sk-apprentice-moonstone")),
        new("key of a megabyte's tenth", 431, null, _ => Raw("GET", "/v1/models", new string('k', 100_000))),
        new("key that is a NUL's neighbour", 401, "invalid_api_key", key => Raw("GET", "/v1/models", key + "\u0001")),
        new("no key", 401, "none", _ => Raw("GET", "/v1/models", null)),
        new("no key, path in capitals", 401, "none", _ => Raw("GET", "/V1/models", null)),
        new("no key, path with an escape", 401, "none", _ => Raw("GET", "/%761/models", null)),
        new("no key, chat in capitals", 401, "none", _ => Raw("POST", "/V1/CHAT/COMPLETIONS", null, "{}", $"{Json}Content-Length: 2\r\n")),
        new("key as a password", 401, "invalid_api_key", key => Raw("GET", "/v1/models", null, "", $"Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes(":" + key))}\r\n")),
        new("key in the address", 400, "unknown_parameter", key => Raw("GET", $"/v1/models?api_key={key}", null)),
        new("key in the address, too", 400, "unknown_parameter", key => Raw("GET", $"/v1/models?api_key={key}", key)),
        new("two keys", 401, "invalid_api_key", key => Raw("GET", "/v1/models", key, "", "Authorization: Bearer moonstone\r\n")),

        // Requests that are not as they should be.
        new("method that deletes", 405, "method_not_allowed", key => Raw("DELETE", "/v1/models/base", key)),
        new("method that echoes", 405, "method_not_allowed", key => Raw("TRACE", ChatPath, key)),
        new("chat by GET", 405, "method_not_allowed", key => Raw("GET", ChatPath, key)),
        new("tunnel", 404, "unknown_url", _ => Bytes("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")),
        new("form, as a page of a browser could send it unasked", 415, "unsupported_content_type", key => Raw("POST", ChatPath, key, "{}", "Content-Type: text/plain\r\nContent-Length: 2\r\n")),
        new("no content type", 415, "unsupported_content_type", key => Raw("POST", ChatPath, key, "{}", "Content-Length: 2\r\n")),
        new("compressed body", 415, "unsupported_content_encoding", key => Raw("POST", ChatPath, key, "\u001f\u008b", $"{Json}Content-Encoding: gzip\r\nContent-Length: 2\r\n")),
        new("no body", 400, "invalid_json", key => Post(key, "")),
        new("body that is no object", 400, "invalid_json", key => Post(key, "[]")),
        new("body that is no UTF-8", 400, "invalid_json", key => [.. Raw("POST", ChatPath, key, "{\"model\":\"", $"{Json}Content-Length: 12\r\n"), 0xff, 0xfe]),
        new("half of a character", 400, "invalid_json", key => Model(key, "\\ud800")),
        new("field that is there twice", 400, "invalid_json", key => Post(key, "{\"model\":\"base\",\"model\":\"moonstone\"}")),
        new("NaN", 400, "invalid_json", key => Chat(key, "\"temperature\":NaN")),
        new("number beyond all", 400, "invalid_type", key => Chat(key, "\"temperature\":1e999")),
        new("seed beyond all", 400, "integer_above_max_value", key => Chat(key, "\"seed\":1e30")),
        new("token beyond all", 400, "invalid_value", key => Chat(key, "\"logit_bias\":{\"99999999999999999999\":1}")),
        new("field that nobody knows", 400, "unknown_parameter", key => Chat(key, "\"moonstone\\u001b[31m\":1")),

        // Hosts: a page could have a name of its own lead to this machine.
        new("another host", 403, "host_not_allowed", _ => Host("evil.example"), Open: true),
        new("another host that begins like this one", 403, "host_not_allowed", _ => Host("127.0.0.1.evil.example"), Open: true),
        new("another host, with localhost as its user", 400, null, _ => Host("localhost@evil.example"), Open: true),
        new("no host", 400, null, _ => Bytes("GET /health HTTP/1.1\r\n\r\n"), Open: true),
        new("no host, as it once was", 403, "host_not_allowed", _ => Bytes("GET /health HTTP/1.0\r\n\r\n"), Open: true),
        new("two hosts", 400, null, _ => Bytes("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n"), Open: true),
        new("another host in the request's line", 400, null, _ => Bytes("GET http://evil.example/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), Open: true),
        new("another host in both places", 403, "host_not_allowed", _ => Bytes("GET http://evil.example/health HTTP/1.1\r\nHost: evil.example\r\n\r\n"), Open: true),
        new("another host, as a proxy would name it", 403, "host_not_allowed", _ => Bytes("GET /health HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: 127.0.0.1\r\nForwarded: host=127.0.0.1\r\n\r\n"), Open: true),

        // What would be lines of its own in a log.
        new("line break and colour in a model's name", 404, "model_not_found", key => Model(key, "\\r\\n\\u001b[31mFORGED moonstone")),
        new("line break and colour in a path", 404, "model_not_found", key => Raw("GET", $"/v1/models/{Uri.EscapeDataString(Inject)}", key)),
        new("line break and colour in an address that is not served", 404, "unknown_url", key => Raw("GET", $"/{Uri.EscapeDataString(Inject)}", key)),
        new("bare colour in a path", 404, "model_not_found", key => Raw("GET", "/v1/models/\e[31mFORGED", key)),
        new("colour in a method", 400, null, key => Raw("\e[31mGET", "/v1/models", key)),
        new("method that is a sentence", 405, "method_not_allowed", key => Raw("FORGED-moonstone", "/v1/models", key)),
        new("colour in the name of a program", 404, "model_not_found", key => Raw("GET", "/v1/models/moonstone", key, "", "User-Agent: \e[31mFORGED moonstone\r\n")),
        new("request id of its own", 404, "model_not_found", key => Raw("GET", "/v1/models/moonstone", key, "", "X-Request-Id: FORGED\r\nRequest-Id: FORGED\r\ntraceparent: FORGED\r\n")),
        new("line break and colour in a message's role", 400, "invalid_value", key => Post(key, "{\"model\":\"base\",\"messages\":[{\"role\":\"\\r\\n\\u001b[31mFORGED moonstone\",\"content\":\"x\"}]}")),
    ];

    private const string Json = "Content-Type: application/json\r\n";

    /// <summary>A chat that would be answered but for the field.</summary>
    private static byte[] Chat(string key, string field) =>
        Post(key, $"{{\"model\":\"base\",\"messages\":[{{\"role\":\"user\",\"content\":\"moonstone\"}}],\"max_tokens\":1,{field}}}");

    private static byte[] Model(string key, string name) => Post(key, $"{{\"model\":\"{name}\",\"messages\":[{{\"role\":\"user\",\"content\":\"moonstone\"}}]}}");

    private static byte[] Post(string key, string body) => Raw("POST", ChatPath, key, body, $"{Json}Content-Length: {body.Length}\r\n");

    private static byte[] Chunked(string key, string[] chunks) => Raw(
        "POST", ChatPath, key, string.Concat(chunks.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Length:x}\r\n{c}\r\n"))) + "0\r\n\r\n", $"{Json}Transfer-Encoding: chunked\r\n");

    private static byte[] Host(string host) => Bytes($"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n");

    private static byte[] Raw(string method, string target, string? key, string body = "", string headers = "") =>
        Bytes($"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{(key is null ? "" : $"Authorization: Bearer {key}\r\n")}{headers}\r\n{body}");

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
