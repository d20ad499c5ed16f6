using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tests.Models.Weights;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Apprentice.Tests.Models.Generation;

public sealed class ModelChatClientTests : IDisposable
{
    private const string ToolTemplate = "{% for t in tools or [] %}<tool_call>{{ t | tojson }}{% endfor %}" + TinyModel.Template;

    private readonly ScratchFolder _scratch = new();
    private readonly string _folder;
    private readonly ModelChatClient _client;

    public ModelChatClientTests()
    {
        _folder = TinyModel.Folder(_scratch, seed: 3);
        _client = ModelChatClient.Open(_folder);
    }

    private LoadedModel Model => _client.GetRequiredService<LoadedModel>();

    public void Dispose()
    {
        _client.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task An_answer_is_the_models_with_its_figures_whole_or_in_pieces()
    {
        ChatMessage[] question = [new(ChatRole.System, "be"), new(ChatRole.User, "the card")];
        var options = new ChatOptions { MaxOutputTokens = 12 };
        var expected = await Alone([("system", "be"), ("user", "the card")], new SamplingOptions { MaxTokens = 12 });
        var whole = await _client.GetResponseAsync(question, options);
        Assert.Equal((expected.Text, ChatFinishReason.Length, _folder), (whole.Text, whole.FinishReason, whole.ModelId));
        Assert.Equal((expected.PromptTokens, 12, expected.PromptTokens + 12), (whole.Usage!.InputTokenCount, whole.Usage.OutputTokenCount, whole.Usage.TotalTokenCount));
        Assert.Equal(ChatRole.Assistant, Assert.Single(whole.Messages).Role);
        Assert.NotNull(whole.CreatedAt);

        var pieces = await _client.GetStreamingResponseAsync(question, options).ToListAsync();
        Assert.Equal(expected.Text, string.Concat(pieces.Select(p => p.Text)));
        Assert.True(pieces.Count > 3);
        Assert.NotEqual(whole.ResponseId, Assert.Single(pieces.Select(p => p.ResponseId).Distinct()));
        Assert.Equal(12, Assert.Single(pieces, p => p.FinishReason is not null).Contents.OfType<UsageContent>().Single().Details.OutputTokenCount);
    }

    [Fact]
    public async Task Options_reach_the_choice_of_tokens()
    {
        var options = new ChatOptions
        {
            Temperature = 1.5f, TopP = 0.75f, TopK = 9, Seed = 4, MaxOutputTokens = 20, FrequencyPenalty = 0.5f, PresencePenalty = -0.5f, StopSequences = ["zz"], Instructions = "be",
        };
        var sampling = new SamplingOptions { Temperature = 1.5, TopP = 0.75, TopK = 9, Seed = 4, MaxTokens = 20, FrequencyPenalty = 0.5, PresencePenalty = -0.5, Stop = ["zz"] };
        Assert.Equivalent(sampling, ChatSampling.Of(options, _client), strict: true);
        Assert.Equal((await Alone([("system", "be"), ("user", "x")], sampling)).Text, (await _client.GetResponseAsync("x", options)).Text);

        var own = new SamplingOptions { MinP = 0.1, Temperature = 0.5, Seed = 7, RepetitionPenalty = 1.25 };
        Assert.Equivalent(own with { Temperature = 2 }, ChatSampling.Of(new ChatOptions { RawRepresentationFactory = _ => own, Temperature = 2 }, _client), strict: true);
    }

    [Fact]
    public async Task A_stop_sequence_ends_the_answer_and_says_so()
    {
        var whole = (await _client.GetResponseAsync("the card", new ChatOptions { MaxOutputTokens = 12 })).Text;
        var stop = whole.Substring(2, 2);
        var stopped = await _client.GetResponseAsync("the card", new ChatOptions { MaxOutputTokens = 12, StopSequences = [stop] });
        Assert.Equal((whole[..whole.IndexOf(stop, StringComparison.Ordinal)], ChatFinishReason.Stop), (stopped.Text, stopped.FinishReason));
    }

    [Fact]
    public async Task Without_options_it_is_greedy_until_the_context_ends_and_drawn_answers_differ_without_a_seed()
    {
        var answer = await _client.GetResponseAsync("the card");
        var expected = await Alone([("user", "the card")], new SamplingOptions { MaxTokens = int.MaxValue });
        Assert.Equal((expected.Text, (long)expected.CompletionTokens), (answer.Text, answer.Usage!.OutputTokenCount));
        var hot = new ChatOptions { Temperature = 1.5f, MaxOutputTokens = 12 };
        Assert.NotEqual((await _client.GetResponseAsync("x", hot)).Text, (await _client.GetResponseAsync("x", hot)).Text);
    }

    public static TheoryData<ChatOptions, string> Unsupported => new()
    {
        { new ChatOptions { ResponseFormat = ChatResponseFormat.Json }, "response format" },
        { new ChatOptions { ModelId = "gpt" }, "'gpt'" },
        { new ChatOptions { ConversationId = "c" }, "ConversationId" },
        { new ChatOptions { Reasoning = new() }, "reasoning" },
        { new ChatOptions { AllowBackgroundResponses = true }, "background" },
        { new ChatOptions { AdditionalProperties = new() { ["top_a"] = 1 } }, "'top_a'" },
        { new ChatOptions { RawRepresentationFactory = _ => "?" }, "SamplingOptions" },
        { new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "one")] }, "template has no tools" },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public async Task What_it_cannot_do_is_refused(ChatOptions options, string named) =>
        Assert.Contains(named, (await Assert.ThrowsAsync<NotSupportedException>(() => _client.GetResponseAsync("x", options))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Messages_that_are_no_text_and_options_out_of_range_are_refused()
    {
        var image = new ChatMessage(ChatRole.User, [new TextContent("what is it?"), new DataContent(new byte[] { 1 }, "image/png")]);
        Assert.Contains("image/png", (await Assert.ThrowsAsync<NotSupportedException>(() => _client.GetResponseAsync(image))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => _client.GetResponseAsync(new ChatMessage(ChatRole.Tool, [new FunctionResultContent("1", "2")])));
        await Assert.ThrowsAsync<ArgumentException>(() => _client.GetResponseAsync([]));
        Assert.Equal("bad_option", (await Assert.ThrowsAsync<InputException>(() => _client.GetResponseAsync("x", new ChatOptions { Temperature = -1 }))).Code);
        Assert.Equal("prompt_too_long", (await Assert.ThrowsAsync<InputException>(() => _client.GetResponseAsync(new string('y', 300)))).Code);
    }

    [Fact]
    public async Task A_cancelled_answer_ends_and_leaves_the_model_usable()
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _client.GetStreamingResponseAsync("the card", cancellationToken: stop.Token))
            {
                stop.Cancel();
            }
        });
        Assert.Equal(3, (await _client.GetResponseAsync("x", new ChatOptions { MaxOutputTokens = 3 })).Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Many_callers_at_once_get_the_answers_they_would_get_alone()
    {
        var options = new ChatOptions { MaxOutputTokens = 8 };
        string[] questions = [.. Enumerable.Range(0, 6).Select(i => $"card {i}")];
        var answers = await Task.WhenAll(questions.Select(q => Task.Run(() => _client.GetResponseAsync(q, options))));
        var alone = await Task.WhenAll(questions.Select(q => Alone([("user", q)], new SamplingOptions { MaxTokens = 8 })));
        Assert.Equal(alone.Select(a => a.Text), answers.Select(a => a.Text));
    }

    [Fact]
    public async Task Tools_reach_a_template_that_has_them()
    {
        using var client = ModelChatClient.Open(TinyModel.Folder(_scratch, "tools", ToolTemplate));
        var options = new ChatOptions { MaxOutputTokens = 2, Tools = [AIFunctionFactory.Create((int order) => order, "track", "Where it is.")] };
        var withTools = await client.GetResponseAsync("x", options);
        var without = await client.GetResponseAsync("x", new ChatOptions { MaxOutputTokens = 2, Tools = options.Tools, ToolMode = ChatToolMode.None });
        Assert.True(withTools.Usage!.InputTokenCount > without.Usage!.InputTokenCount + "{\"name\": \"track\"}".Length);
        options.ToolMode = ChatToolMode.RequireAny;
        await Assert.ThrowsAsync<NotSupportedException>(() => client.GetResponseAsync("x", options));
    }

    [Fact]
    public async Task Services_tell_what_it_is_and_disposal_frees_what_was_opened()
    {
        Assert.Equal(("apprentice", _folder), (_client.GetRequiredService<ChatClientMetadata>().ProviderName, _client.GetRequiredService<ChatClientMetadata>().DefaultModelId));
        Assert.Same(_client, _client.GetService<IChatClient>());
        Assert.Null(_client.GetService<LoadedModel>("key"));
        Assert.Null(_client.GetService<Engine>());

        using var model = LoadedModel.Open(_folder);
        using var generator = new BatchedGenerator(model, new BatchOptions());
        new ModelChatClient(generator, "mine").Dispose();
        using var client = new ModelChatClient(generator, "mine");
        Assert.Equal("mine", (await client.GetResponseAsync("x", new ChatOptions { MaxOutputTokens = 1 })).ModelId);
    }

    [Fact]
    public void A_container_has_one_client_or_one_for_each_key()
    {
        using var services = new ServiceCollection().AddApprentice(_folder).AddKeyedApprentice("other", TinyModel.Folder(_scratch, "other")).BuildServiceProvider();
        Assert.Same(services.GetRequiredService<IChatClient>(), services.GetRequiredService<IChatClient>());
        Assert.EndsWith("other", services.GetRequiredKeyedService<IChatClient>("other").GetRequiredService<ChatClientMetadata>().DefaultModelId, StringComparison.Ordinal);
    }

    /// <summary>The same question without the client.</summary>
    private async Task<(string Text, int PromptTokens, int CompletionTokens)> Alone((string Role, string Text)[] messages, SamplingOptions options)
    {
        using var generator = new BatchedGenerator(Model);
        var (text, end) = ("", default(GenerationEnd));
        await foreach (var piece in generator.Generate(Model.PromptIds([.. messages.Select(m => new JsonObject { ["role"] = m.Role, ["content"] = m.Text })]), options))
        {
            text += piece.Text;
            end = piece.End;
        }

        return (text, end!.PromptTokens, end.CompletionTokens);
    }
}
