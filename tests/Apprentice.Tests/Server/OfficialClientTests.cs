using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using Apprentice.Server.Storage;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace Apprentice.Tests.Server;

/// <summary>The official .NET client, unchanged, does what it does with OpenAI's servers.</summary>
public sealed class OfficialClientTests
{
    private const string Question = "Where is my order?";

    [Fact]
    public async Task Chat_whole_and_streamed_with_usage_and_log_probabilities()
    {
        await using var server = await TestServer.Start();
        var client = Chat(server);
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 12, Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
        ChatCompletion whole = await client.CompleteChatAsync([new SystemChatMessage("Be short."), new UserChatMessage(Question)], options);
        Assert.Equal("m", whole.Model);
        Assert.Equal(ChatMessageRole.Assistant, whole.Role);
        Assert.True(whole.Usage.InputTokenCount > 0 && whole.Usage.OutputTokenCount is > 0 and <= 12);
        Assert.Equal(whole.Usage.InputTokenCount + whole.Usage.OutputTokenCount, whole.Usage.TotalTokenCount);
        Assert.NotEmpty(whole.ContentTokenLogProbabilities);
        Assert.All(whole.ContentTokenLogProbabilities, t => Assert.True(t.LogProbability <= 0 && t.TopLogProbabilities.Count == 2));

        var text = "";
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        await foreach (var update in client.CompleteChatStreamingAsync([new SystemChatMessage("Be short."), new UserChatMessage(Question)], options))
        {
            text += string.Concat(update.ContentUpdate.Select(c => c.Text));
            reason = update.FinishReason ?? reason;
            usage = update.Usage ?? usage;
        }

        Assert.Equal((whole.Content[0].Text, whole.FinishReason, whole.Usage.TotalTokenCount), (text, reason, usage?.TotalTokenCount));
    }

    [Fact]
    public async Task Stop_seed_and_penalties_reach_the_answer()
    {
        await using var server = await TestServer.Start();
        var client = Chat(server);
        var whole = await Answer(new ChatCompletionOptions { MaxOutputTokenCount = 16, Temperature = 0 });
        var stop = whole.Content[0].Text.Substring(2, 2);
        var stopped = await Answer(new ChatCompletionOptions { MaxOutputTokenCount = 16, Temperature = 0, StopSequences = { stop } });
        Assert.Equal(whole.Content[0].Text[..whole.Content[0].Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Content.Count > 0 ? stopped.Content[0].Text : "");
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);

#pragma warning disable OPENAI001 // the seed is said to be experimental
        ChatCompletionOptions Drawn() => new() { MaxOutputTokenCount = 16, Temperature = 1.5f, FrequencyPenalty = 0.5f, PresencePenalty = 0.5f, TopP = 0.9f, Seed = 11 };
#pragma warning restore OPENAI001
        Assert.Equal((await Answer(Drawn())).Content[0].Text, (await Answer(Drawn())).Content[0].Text);

        async Task<ChatCompletion> Answer(ChatCompletionOptions options) => await client.CompleteChatAsync([new UserChatMessage(Question)], options);
    }

    [Fact]
    public async Task Several_choices_by_the_protocol_itself()
    {
        await using var server = await TestServer.Start();
        using var body = BinaryContent.Create(BinaryData.FromString("""{"model":"m","n":3,"seed":1,"max_tokens":8,"messages":[{"role":"user","content":"Hello"}]}"""));
        var answer = await Chat(server).CompleteChatAsync(body);
        Assert.Equal(3, JsonNode.Parse(answer.GetRawResponse().Content.ToString())!["choices"]!.AsArray().Count);
    }

    [Fact]
    public async Task Models_are_listed_and_found()
    {
        await using var server = await TestServer.Start();
        var client = new OpenAIModelClient(new ApiKeyCredential("none"), Options(server));
        OpenAIModelCollection models = await client.GetModelsAsync();
        Assert.Equal("m", Assert.Single(models).Id);
        OpenAIModel model = await client.GetModelAsync("m");
        Assert.Equal(("m", "apprentice"), (model.Id, model.OwnedBy));
    }

    [Fact]
    public async Task Errors_have_their_status_and_say_what_is_wrong()
    {
        await using var server = await TestServer.Start(change: o => o with { MaxRequests = 1 });
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => Chat(server, "x").CompleteChatAsync(Question));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("'x' does not exist", unknown.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<ClientResultException>(() => Chat(server).CompleteChatAsync([new UserChatMessage(Question)], new ChatCompletionOptions { Temperature = 9 }));
        Assert.Equal(400, wrong.Status);
        Assert.Contains("temperature", wrong.Message, StringComparison.Ordinal);

        new ApiKeys(server.Home).Add("somebody");
        var key = await Assert.ThrowsAsync<ClientResultException>(() => Chat(server).CompleteChatAsync(Question));
        Assert.Equal(401, key.Status);
    }

    [Fact]
    public async Task A_stream_that_is_cancelled_ends_its_answer_and_frees_its_turn()
    {
        await using var server = await TestServer.Start(change: o => o with { MaxRequests = 1 });
        using var enough = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            var endless = new ChatCompletionOptions { MaxOutputTokenCount = 900 };
            foreach (var token in TestServer.EndTokens)
            {
                endless.LogitBiases[token] = -100;
            }

            await foreach (var _ in Chat(server).CompleteChatStreamingAsync([new UserChatMessage(Question)], endless, enough.Token))
            {
                var busy = await Assert.ThrowsAsync<ClientResultException>(() => Chat(server).CompleteChatAsync(Question));
                Assert.Equal(429, busy.Status);
                await enough.CancelAsync();
            }
        });
        await server.Idle();
        await Chat(server).CompleteChatAsync([new UserChatMessage(Question)], new ChatCompletionOptions { MaxOutputTokenCount = 1 });
    }

    [Fact]
    public async Task A_key_that_is_stored_lets_in()
    {
        await using var server = await TestServer.Start();
        var (_, secret) = new ApiKeys(server.Home).Add("client");
        await new ChatClient("m", new ApiKeyCredential(secret), Options(server)).CompleteChatAsync([new UserChatMessage(Question)], new ChatCompletionOptions { MaxOutputTokenCount = 1 });
    }

    private static ChatClient Chat(TestServer server, string model = "m") => new(model, new ApiKeyCredential("none"), Options(server));

    private static OpenAIClientOptions Options(TestServer server) => new()
    {
        Endpoint = new Uri(server.Server.Urls[0], "v1"),
        RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
    };
}
