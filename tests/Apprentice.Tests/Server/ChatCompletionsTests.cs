using System.Text;
using System.Text.Json.Nodes;
using Apprentice.Models.Generation;
using Apprentice.Server;
using Apprentice.Server.Contracts;
using Apprentice.Tests.EndToEnd;
using ChatAnswer = Apprentice.Server.Endpoints.ChatAnswer;

namespace Apprentice.Tests.Server;

public sealed class ChatCompletionsTests
{
    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says()
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat("Where is my order?", tokens: 12);
        (request["logprobs"], request["top_logprobs"]) = (true, 3);
        var whole = await server.Answer(request.DeepClone().AsObject());
        request["stream_options"] = new JsonObject { ["include_usage"] = true };
        var events = await server.Events(request);

        var choice = whole["choices"]![0]!;
        var chunks = events.SelectMany(e => e["choices"]!.AsArray()).ToList();
        Assert.Equal((string)choice["message"]!["content"]!, string.Concat(chunks.Select(c => (string?)c!["delta"]!["content"])));
        Assert.Equal("assistant", (string)chunks[0]!["delta"]!["role"]!);
        Assert.Equal((string)choice["finish_reason"]!, (string)chunks[^1]!["finish_reason"]!);
        Assert.All(chunks.SkipLast(1), c => Assert.Null(c!["finish_reason"]));
        Assert.Equal(
            choice["logprobs"]!["content"]!.ToJsonString(),
            new JsonArray([.. chunks.SelectMany(c => c!["logprobs"]?["content"]?.AsArray() ?? []).Select(t => t!.DeepClone())]).ToJsonString());
        Assert.Equal(Tokens(whole["usage"]!), Tokens(events[^1]["usage"]!));
        Assert.All(events.SkipLast(1), e => Assert.True(e.ContainsKey("usage") && e["usage"] is null));

        static (int, int, int) Tokens(JsonNode usage) => ((int)usage["prompt_tokens"]!, (int)usage["completion_tokens"]!, (int)usage["total_tokens"]!);
    }

    [Fact]
    public async Task The_bytes_of_the_tokens_are_the_text_and_the_chosen_token_of_a_greedy_answer_is_the_most_probable()
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat("Café, größer – 你好?", tokens: 24);
        (request["logprobs"], request["top_logprobs"], request["stop"]) = (true, 2, null);
        var choice = (await server.Answer(request))["choices"]![0]!;
        var tokens = choice["logprobs"]!["content"]!.AsArray();
        Assert.Equal((string)choice["message"]!["content"]!, Encoding.UTF8.GetString([.. tokens.SelectMany(t => t!["bytes"]!.AsArray().Select(b => (byte)(int)b!))]));
        Assert.All(tokens, t => Assert.Equal((double)t!["logprob"]!, (double)t["top_logprobs"]![0]!["logprob"]!));
    }

    [Fact]
    public async Task Choices_differ_from_each_other_and_a_seed_gives_the_same_ones_again()
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat("Tell me something", tokens: 16, temperature: 1.5);
        (request["n"], request["seed"]) = (4, 9);
        var once = Texts(await server.Answer(request));
        Assert.Equal(4, once.Distinct().Count());
        Assert.Equal(once, Texts(await server.Answer(request)));

        var streamed = await server.Events(request);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(once[i], string.Concat(streamed.SelectMany(e => e["choices"]!.AsArray()).Where(c => (int)c!["index"]! == i).Select(c => (string?)c!["delta"]!["content"])));
        }

        static string[] Texts(JsonObject answer) => [.. answer["choices"]!.AsArray().Select(c => (string)c!["message"]!["content"]!)];
    }

    [Fact]
    public async Task A_beginning_that_was_there_before_is_counted_as_cached()
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat(string.Join(' ', Enumerable.Repeat("The parcel has not arrived and I am waiting.", 20)), tokens: 2);
        Assert.Equal(0, Cached(await server.Answer(request)));
        Assert.True(Cached(await server.Answer(request)) >= 64);

        static int Cached(JsonObject answer) => (int)answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]!;
    }

    [Theory]
    [InlineData("""{"response_format":{"type":"json_object"}}""", "response_format", "unsupported_parameter")]
    [InlineData("""{"reasoning_effort":"low"}""", "reasoning_effort", "unsupported_parameter")]
    [InlineData("""{"tools":[{"type":"function","function":{"name":"f"}}]}""", "tools", "unsupported_parameter")]
    [InlineData("""{"tool_choice":"required"}""", "tool_choice", "unsupported_value")]
    [InlineData("""{"store":true}""", "store", "unsupported_parameter")]
    [InlineData("""{"temprature":0}""", "temprature", "unknown_parameter")]
    [InlineData("""{"temperature":"0"}""", "temperature", "invalid_type")]
    [InlineData("""{"temperature":2.5}""", "temperature", "decimal_above_max_value")]
    [InlineData("""{"n":0}""", "n", "integer_below_min_value")]
    [InlineData("""{"n":1.5}""", "n", "invalid_type")]
    [InlineData("""{"stop":["a","b","c","d","e"]}""", "stop", "array_above_max_length")]
    [InlineData("""{"stop":""}""", "stop", "invalid_value")]
    [InlineData("""{"top_logprobs":2}""", "top_logprobs", "invalid_value")]
    [InlineData("""{"max_completion_tokens":3}""", "max_tokens", "invalid_parameter_combination")]
    [InlineData("""{"stream_options":{"include_usage":true}}""", "stream_options", "invalid_value")]
    [InlineData("""{"logit_bias":{"x":1}}""", "logit_bias", "invalid_value")]
    [InlineData("""{"logit_bias":{"999999":1}}""", "logit_bias", "invalid_value")]
    [InlineData("""{"messages":[]}""", "messages", "empty_array")]
    [InlineData("""{"messages":null}""", "messages", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"robot","content":"x"}]}""", "messages[0].role", "invalid_value")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "messages[0].content", "missing_required_parameter")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", "messages[0].content[0].type", "unsupported_value")]
    [InlineData("""{"model":"x"}""", "model", "model_not_found")]
    public async Task What_cannot_be_done_is_refused_by_name(string change, string param, string code)
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat("Hello");
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        var error = (await server.Answer(request, status: code == "model_not_found" ? 404 : 400))["error"]!;
        Assert.Equal((param, code, "invalid_request_error"), ((string)error["param"]!, (string)error["code"]!, (string)error["type"]!));
    }

    [Theory]
    [InlineData("""{"response_format":{"type":"text"},"store":false,"modalities":["text"],"parallel_tool_calls":true,"service_tier":"auto","verbosity":"medium"}""")]
    [InlineData("""{"user":"u","metadata":{"a":"b"},"prompt_cache_key":"k","safety_identifier":"s","n":null,"stop":null,"tools":[],"tool_choice":"none","seed":-5,"top_p":0}""")]
    [InlineData("""{"messages":[{"role":"developer","content":"Be short."},{"role":"user","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}],"name":"x"},{"role":"assistant","content":"Yes"},{"role":"user","content":"?"}]}""")]
    public async Task What_changes_nothing_is_accepted(string change)
    {
        await using var server = await TestServer.Start();
        var request = TestServer.Chat("Hello", tokens: 1);
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        await server.Answer(request);
    }

    [Fact]
    public async Task Calls_of_tools_are_taken_out_of_the_answer_whole_and_in_a_stream()
    {
        using var place = new Workplace();
        var config = JsonNode.Parse(place.Read("m", "tokenizer_config.json"))!;
        config["chat_template"] = "{% for t in tools or [] %}<tool_call>{{ t | tojson }}{% endfor %}" + (string)config["chat_template"]!;
        File.WriteAllText(place.In("m", "tokenizer_config.json"), config.ToJsonString());
        using var model = new ServedModel(new ModelToServe("m", place.In("m")), new BatchOptions());
        var request = ChatRequest.Read(new RequestFields(JsonNode.Parse(
            """
            {"model":"m","messages":[{"role":"user","content":"Weather?"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},
              {"role":"tool","tool_call_id":"c","content":"sunny"}],
             "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}
            """)!.AsObject()));
        Assert.NotEmpty(model.ChatPrompt(request.Messages, request.Tools));
        Assert.Equal(1, (int)request.Messages[1]["tool_calls"]![0]!["function"]!["arguments"]!["a"]!);

        GeneratedPiece[] pieces =
        [
            new("Let me see. <tool", []), new("_call>{\"name\": \"f\", \"arguments\": {\"x\": \"ü\"}}</tool_call>", []), new("", [], new GenerationEnd(FinishReason.Stop, 3, 0, 9)),
        ];
        var whole = new ChatAnswer(model, request);
        Array.ForEach(pieces, p => whole.Add(p));
        var choice = whole.Choice(0);
        Assert.Equal(("Let me see. ", "tool_calls"), (choice.Message.Content, choice.FinishReason));
        var call = Assert.Single(choice.Message.ToolCalls!);
        Assert.Equal(("f", "ü"), (call.Function.Name, (string)JsonNode.Parse(call.Function.Arguments)!["x"]!));

        var streamed = new ChatAnswer(model, request);
        var chunks = pieces.SelectMany(p => streamed.Chunks(0, p)).ToList();
        Assert.Equal("Let me see. ", string.Concat(chunks.Select(c => c.Delta.Content)));
        Assert.Equal((0, "f"), (Assert.Single(chunks, c => c.Delta.ToolCalls is not null).Delta.ToolCalls![0].Index, call.Function.Name));
        Assert.Equal("tool_calls", chunks[^1].FinishReason);
    }
}
