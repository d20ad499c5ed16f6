using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Server;
using Apprentice.Tests.EndToEnd;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Server;

public sealed class ServerLimitsTests
{
    private const int Endless = 100_000;

    [Fact]
    public async Task Who_comes_beside_the_last_turn_gets_429_and_a_client_that_leaves_frees_its_turn()
    {
        await using var server = await TestServer.Start(change: o => o with { MaxRequests = 1 });
        using var leaving = new CancellationTokenSource();
        using var long_ = await server.Post(Forever(), cancellation: leaving.Token);
        Assert.Equal(HttpStatusCode.OK, long_.StatusCode);
        using (var refused = await server.Post(TestServer.Chat("Hello")))
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, 1), (refused.StatusCode, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
            Assert.Equal("rate_limit_exceeded", (string)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]!);
        }

        await leaving.CancelAsync();
        long_.Dispose();
        await server.Idle();
        await server.Answer(TestServer.Chat("Hello", tokens: 1));
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_ended_whole_or_in_its_stream()
    {
        await using var server = await TestServer.Start(change: o => o with { RequestTimeout = TimeSpan.FromMilliseconds(300) });
        var request = Forever();
        request["stream"] = false;
        Assert.Equal("request_timeout", (string)(await server.Answer(request, status: 504))["error"]!["code"]!);

        using var stream = await server.Post(Forever());
        var last = (await stream.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains("\"request_timeout\"", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prompts_and_bodies_have_their_longest_length()
    {
        await using var server = await TestServer.Start(change: o => o with { MaxPromptTokens = 30, MaxBodyBytes = 2000 });
        await server.Answer(TestServer.Chat("Hello", tokens: 1));
        Assert.Equal("context_length_exceeded", (string)(await server.Answer(TestServer.Chat(string.Concat(Enumerable.Repeat("word ", 100))), status: 400))["error"]!["code"]!);
        Assert.Equal("request_too_large", (string)(await server.Answer(TestServer.Chat(new string('x', 3000)), status: 413))["error"]!["code"]!);
    }

    [Fact]
    public async Task Stopping_lets_an_answer_end()
    {
        await using var server = await TestServer.Start();
        using var response = await server.Post(With(TestServer.Chat("Hello", tokens: 200), "stream", true));
        var stopping = server.Server.StopAsync();
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await stopping;
    }

    [Fact]
    public async Task A_run_answers_as_it_was_trained_with_its_system_message()
    {
        using var place = new Workplace();
        await place.Done("train --data bank.jsonl --out r --system Short. --max-steps 2 --validation none", "--model", place.In("m"));
        await using var server = await TestServer.Start(place.In("r"));
        var bare = TestServer.Chat("my card is lost");
        var said = TestServer.Chat("my card is lost");
        said["messages"]!.AsArray().Insert(0, new JsonObject { ["role"] = "system", ["content"] = "Short." });
        Assert.Equal((int)(await server.Answer(said))["usage"]!["prompt_tokens"]!, (int)(await server.Answer(bare))["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task Tokens_and_times_are_measured_and_hold_no_text()
    {
        var measured = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Apprentice.Server")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        await using var server = await TestServer.Start();
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        listener.Start();
        var usage = (await server.Answer(TestServer.Chat("A secret word", tokens: 5)))["usage"]!;
        await server.Answer(With(TestServer.Chat("Hello"), "n", 0), status: 400);
        await server.Idle();
        lock (measured)
        {
            Assert.True(measured["apprentice.server.tokens input"] >= (int)usage["prompt_tokens"]!);
            Assert.True(measured["apprentice.server.tokens output"] >= (int)usage["completion_tokens"]!);
            Assert.True(measured["gen_ai.server.request.duration"] > 0 && measured["gen_ai.server.time_to_first_token"] > 0);
            Assert.True(measured["apprentice.server.refused"] >= 1);
        }

        // Other tests' servers measure at the same time.
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var kind = "";
            foreach (var (name, tag) in tags)
            {
                Assert.DoesNotContain("secret", tag?.ToString() ?? "", StringComparison.Ordinal);
                kind += name == "gen_ai.token.type" ? $" {tag}" : "";
            }

            lock (measured)
            {
                measured[instrument.Name + kind] = measured.GetValueOrDefault(instrument.Name + kind) + value;
            }
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:0/path", "bad_url")]
    [InlineData("https://127.0.0.1:0", "bad_url")]
    [InlineData("127.0.0.1:80", "bad_url")]
    [InlineData("http://192.0.2.1:0", "no_api_keys")]
    [InlineData("http://0.0.0.0:0", "no_api_keys")]
    [InlineData("http://somewhere:0", "no_api_keys")]
    public async Task Where_it_cannot_listen_it_says_so_before_a_model_is_loaded(string url, string code)
    {
        var error = await Assert.ThrowsAsync<InputException>(() => TestServer.Start("no such model", o => o with { Urls = [url] }));
        Assert.Equal(code, error.Code);
    }

    [Fact]
    public async Task A_damaged_list_of_keys_is_named_before_a_model_is_loaded_and_is_no_fault_of_a_request()
    {
        using var home = new ScratchFolder();
        File.WriteAllText(home.File("keys.json"), "{");
        var error = await Assert.ThrowsAsync<InputException>(() => TestServer.Start("no such model", o => o with { Home = home.Path }));
        Assert.Equal("bad_keys", error.Code);

        await using var server = await TestServer.Start();
        File.WriteAllText(Path.Combine(server.Home, "keys.json"), "{");
        server.Client.DefaultRequestHeaders.Authorization = new("Bearer", "sk-apprentice-x");
        Assert.Equal("internal_error", (string)(await server.Answer(TestServer.Chat("Hello"), status: 500))["error"]!["code"]!);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_named()
    {
        await using var server = await TestServer.Start();
        var error = await Assert.ThrowsAsync<InputException>(() => TestServer.Start(change: o => o with { Urls = [server.Server.Urls[0].ToString()] }));
        Assert.Equal("address_in_use", error.Code);
    }

    private static JsonObject Forever() => With(With(TestServer.Chat("Hello", Endless), "stream", true), "logit_bias", new JsonObject(TestServer.EndTokens.Select(id => KeyValuePair.Create($"{id}", (JsonNode?)(-100)))));

    private static JsonObject With(JsonObject request, string name, JsonNode value)
    {
        request[name] = value;
        return request;
    }
}
