using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Benchmarks;

/// <summary>One answer as it came.</summary>
/// <param name="Text">Its text.</param>
/// <param name="Tokens">Tokens generated, as the server counts them; 0 where it did not come to that.</param>
/// <param name="Pieces">When each piece came, as <see cref="Stopwatch"/> tells time.</param>
/// <param name="Sent">When it was asked for.</param>
internal sealed record ServedAnswer(string Text, int Tokens, IReadOnlyList<long> Pieces, long Sent)
{
    public double SecondsToFirst => Pieces.Count > 0 ? Stopwatch.GetElapsedTime(Sent, Pieces[0]).TotalSeconds : double.NaN;

    /// <summary>The longest time without a piece, from asking on.</summary>
    public double LongestWait => Pieces.Count == 0 ? 0 : Pieces.Zip(Pieces.Prepend(Sent)).Max(p => Stopwatch.GetElapsedTime(p.Second, p.First).TotalSeconds);
}

/// <summary>Asks a server by OpenAI's protocol and reads the answer's events as they come, without a library that could cost time.</summary>
internal sealed class ServingClient(string url, string model) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1024 }) { BaseAddress = new Uri(url), Timeout = Timeout.InfiniteTimeSpan };

    public void Dispose() => _http.Dispose();

    public Task<ServedAnswer> Chat(string question, int tokens, double temperature, Action? onPiece = null, CancellationToken cancellation = default) => Ask(
        "/v1/chat/completions",
        new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }), ["max_tokens"] = tokens, ["temperature"] = temperature },
        choice => choice.TryGetProperty("delta", out var delta) && delta.TryGetProperty("content", out var content) ? content.GetString() : null,
        onPiece,
        cancellation);

    /// <summary>Goes on with a text, greedily, and past its end: tokens that would end it are made impossible.</summary>
    public Task<ServedAnswer> Complete(string text, int tokens, int[] ends) => Ask(
        "/v1/completions",
        new JsonObject
        {
            ["prompt"] = text, ["max_tokens"] = tokens, ["temperature"] = 0, ["logit_bias"] = new JsonObject(ends.Select(e => KeyValuePair.Create($"{e}", (JsonNode?)(-100)))),
        },
        choice => choice.TryGetProperty("text", out var piece) ? piece.GetString() : null);

    private async Task<ServedAnswer> Ask(string path, JsonObject body, Func<JsonElement, string?> textOf, Action? onPiece = null, CancellationToken cancellation = default)
    {
        body["model"] = model;
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        var text = new StringBuilder();
        var pieces = new List<long>();
        var tokens = 0;
        var sent = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), MediaTypeHeaderValue.Parse("application/json")) };
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellation)}");
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
            {
                continue;
            }

            using var chunk = JsonDocument.Parse(line.AsMemory(6));
            if (chunk.RootElement.TryGetProperty("error", out var error))
            {
                throw new HttpRequestException(error.GetRawText());
            }

            if (chunk.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            {
                tokens = usage.GetProperty("completion_tokens").GetInt32();
            }

            foreach (var choice in chunk.RootElement.GetProperty("choices").EnumerateArray())
            {
                if (textOf(choice) is { Length: > 0 } piece)
                {
                    text.Append(piece);
                    pieces.Add(Stopwatch.GetTimestamp());
                    onPiece?.Invoke();
                }
            }
        }

        return new ServedAnswer(text.ToString(), tokens, pieces, sent);
    }
}
