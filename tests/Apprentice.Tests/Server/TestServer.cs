using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Models.Registry;
using Apprentice.Server;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Server;

/// <summary>A server on a free port of this machine with a home folder of its own, and a client of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ScratchFolder _home;

    private TestServer(ApprenticeServer server, ScratchFolder home)
    {
        (Server, _home) = (server, home);
        Client = new HttpClient { BaseAddress = server.Urls[0], Timeout = TimeSpan.FromMinutes(5) };
    }

    public ApprenticeServer Server { get; }

    public HttpClient Client { get; }

    public string Home => _home.Path;

    /// <summary>Tokens that end answers of the built-in model; made impossible, answers go on.</summary>
    public static IReadOnlyList<int> EndTokens { get; } = FindEndTokens();

    /// <param name="reference">The model, which is called <c>m</c>.</param>
    /// <param name="change">What is different from a server with defaults.</param>
    public static async Task<TestServer> Start(string reference = "base", Func<ServerOptions, ServerOptions>? change = null)
    {
        var home = new ScratchFolder();
        var options = new ServerOptions { Models = [new ModelToServe("m", reference)], Urls = ["http://127.0.0.1:0"], Home = home.Path };
        return new TestServer(await ApprenticeServer.StartAsync(change?.Invoke(options) ?? options), home);
    }

    public static JsonObject Chat(string content, int tokens = 8, double temperature = 0) => new()
    {
        ["model"] = "m", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = content }), ["max_tokens"] = tokens, ["temperature"] = temperature,
    };

    public Task<HttpResponseMessage> Post(JsonObject body, string path = "/v1/chat/completions", CancellationToken cancellation = default) => Client.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") }, HttpCompletionOption.ResponseHeadersRead, cancellation);

    /// <summary>The body of an answer that must have this status.</summary>
    public async Task<JsonObject> Answer(JsonObject body, string path = "/v1/chat/completions", int status = 200)
    {
        using var response = await Post(body, path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>The events of a stream; the last must be [DONE].</summary>
    public async Task<List<JsonObject>> Events(JsonObject body, string path = "/v1/chat/completions")
    {
        body["stream"] = true;
        using var response = await Post(body, path);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(e => JsonNode.Parse(e["data: ".Length..])!.AsObject())];
    }

    public async Task<JsonObject> Health() => (await Client.GetFromJsonAsync<JsonObject>("/health"))!;

    /// <summary>Waits until nothing is under way: an answer is counted after it is sent.</summary>
    public async Task Idle()
    {
        while (await Health() is var health && (int)health["active"]! + (int)health["requests"]! > 0)
        {
            await Task.Delay(20);
        }
    }

    private static int[] FindEndTokens()
    {
        using var model = LoadedModel.Open("base");
        return [.. model.EndTokens];
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        _home.Dispose();
    }
}
