using System.Text.Json.Nodes;

namespace Apprentice.Tests.Server;

public sealed class CompletionsTests
{
    private const string Path = "/v1/completions";

    [Fact]
    public async Task Several_texts_are_gone_on_with_as_each_alone_whole_or_in_a_stream()
    {
        await using var server = await TestServer.Start();
        var prompts = new[] { "Once upon a", "The weather" };
        var request = new JsonObject { ["model"] = "m", ["prompt"] = new JsonArray("Once upon a", "The weather"), ["temperature"] = 0, ["max_tokens"] = 6, ["echo"] = true };
        var together = (await server.Answer(request, Path))["choices"]!.AsArray();
        var streamed = (await server.Events(request.DeepClone().AsObject(), Path)).SelectMany(e => e["choices"]!.AsArray()).ToList();
        for (var i = 0; i < prompts.Length; i++)
        {
            var alone = (string)(await server.Answer(new JsonObject { ["model"] = "m", ["prompt"] = prompts[i], ["temperature"] = 0, ["max_tokens"] = 6 }, Path))["choices"]![0]!["text"]!;
            Assert.Equal(prompts[i] + alone, (string)together[i]!["text"]!);
            Assert.Equal(prompts[i] + alone, string.Concat(streamed.Where(c => (int)c!["index"]! == i).Select(c => (string)c!["text"]!)));
        }
    }

    [Fact]
    public async Task Token_ids_are_a_prompt_and_log_probabilities_say_where_each_token_begins()
    {
        await using var server = await TestServer.Start();
        var choice = (await server.Answer(
            new JsonObject { ["model"] = "m", ["prompt"] = new JsonArray(5, 6, 7), ["temperature"] = 0, ["max_tokens"] = 5, ["logprobs"] = 2 }, Path))["choices"]![0]!;
        var logprobs = choice["logprobs"]!;
        var text = (string)choice["text"]!;
        var tokens = logprobs["tokens"]!.AsArray().Select(t => (string)t!).ToArray();
        var offsets = logprobs["text_offset"]!.AsArray().Select(t => (int)t!).ToArray();
        Assert.NotEmpty(tokens);
        Assert.All(tokens.Zip(offsets), t => Assert.StartsWith(t.First, text[t.Second..], StringComparison.Ordinal));
        Assert.All(logprobs["top_logprobs"]!.AsArray(), top => Assert.InRange(top!.AsObject().Count, 1, 3));
    }

    [Fact]
    public async Task No_tokens_are_generated_where_none_are_wanted()
    {
        await using var server = await TestServer.Start();
        var answer = await server.Answer(new JsonObject { ["model"] = "m", ["prompt"] = "Hello", ["max_tokens"] = 0, ["echo"] = true }, Path);
        Assert.Equal(("Hello", "length", 0), ((string)answer["choices"]![0]!["text"]!, (string)answer["choices"]![0]!["finish_reason"]!, (int)answer["usage"]!["completion_tokens"]!));
    }

    [Theory]
    [InlineData("""{"prompt":"x","best_of":3}""", "best_of", "unsupported_parameter")]
    [InlineData("""{"prompt":"x","suffix":"y"}""", "suffix", "unsupported_parameter")]
    [InlineData("""{"prompt":"x","echo":true,"logprobs":1}""", "echo", "unsupported_parameter")]
    [InlineData("""{"prompt":[999999]}""", "prompt", "invalid_value")]
    [InlineData("""{"prompt":[1,"a"]}""", "prompt[0]", "invalid_type")]
    [InlineData("""{"prompt":["a","b"],"n":100}""", "n", "invalid_value")]
    [InlineData("""{"prompt":"x","logprobs":6}""", "logprobs", "integer_above_max_value")]
    [InlineData("""{}""", "prompt", "missing_required_parameter")]
    public async Task What_cannot_be_done_is_refused_by_name(string fields, string param, string code)
    {
        await using var server = await TestServer.Start();
        var request = JsonNode.Parse(fields)!.AsObject();
        request["model"] = "m";
        var error = (await server.Answer(request, Path, 400))["error"]!;
        Assert.Equal((param, code), ((string)error["param"]!, (string)error["code"]!));
    }
}
