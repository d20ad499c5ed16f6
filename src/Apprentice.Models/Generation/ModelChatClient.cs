using System.Runtime.CompilerServices;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Microsoft.Extensions.AI;

namespace Apprentice.Models.Generation;

/// <summary>
/// A model in this process as <see cref="IChatClient"/>. Any number of callers may use one at a time: their answers are
/// generated together. What a caller asks for and the model cannot do is refused with
/// <see cref="NotSupportedException"/>, never left out.
/// </summary>
/// <remarks>
/// Without a temperature it answers greedily, as <c>generate</c>, <c>chat</c> and <c>evaluate</c> do, so that what was
/// measured is what a program gets; OpenAI's API, and so <c>apprentice serve</c>, has 1 there. Without a longest answer
/// the context is the limit.
/// </remarks>
public sealed class ModelChatClient : IChatClient
{
    private readonly BatchedGenerator _generator;
    private readonly ChatClientMetadata _metadata;
    private readonly ChatPrompt _prompt;
    private readonly bool _owned;

    /// <param name="generator">Stays the caller's to dispose, as does its model.</param>
    /// <param name="modelId">What answers call the model.</param>
    public ModelChatClient(BatchedGenerator generator, string modelId)
        : this(generator, modelId, owned: false)
    {
    }

    private ModelChatClient(BatchedGenerator generator, string modelId, bool owned)
    {
        _generator = generator;
        _metadata = new ChatClientMetadata("apprentice", defaultModelId: modelId);
        _prompt = new ChatPrompt(generator.Model);
        _owned = owned;
    }

    /// <summary>Loads a model; disposing the client frees it.</summary>
    /// <param name="model">A model reference: a .gguf file, a Hugging Face, run or adapter folder, a registered name, or <c>base</c>.</param>
    /// <param name="adapter">An adapter for the base that the reference names, or null.</param>
    /// <param name="options">How much it takes on at once, and the threads.</param>
    /// <exception cref="InputException">There is no such model, or it is not sound or not supported.</exception>
    public static ModelChatClient Open(string model, string? adapter = null, BatchOptions? options = null)
    {
        var loaded = LoadedModel.Open(model, adapter: adapter);
        try
        {
            return new ModelChatClient(new BatchedGenerator(loaded, options ?? new BatchOptions()), model, owned: true);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InputException">
    /// Code <c>bad_option</c> or <c>prompt_too_long</c>, <c>no_chat_template</c>, or the model's template refuses the conversation.
    /// </exception>
    /// <exception cref="NotSupportedException">Something is asked for that the model cannot do; the message names it.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The last update has finish reason and usage. An update's raw representation is the <see cref="GeneratedPiece"/>.</remarks>
    /// <exception cref="InputException">As <see cref="GetResponseAsync"/>.</exception>
    /// <exception cref="NotSupportedException">As <see cref="GetResponseAsync"/>.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var sampling = ChatSampling.Of(options, this);
        var prompt = _prompt.Ids([.. messages], options);
        var calls = ChatPrompt.OffersTools(options) ? new ToolCallReader() : null;
        var id = Guid.NewGuid().ToString("N");
        var created = DateTimeOffset.UtcNow;
        await foreach (var piece in _generator.Generate(prompt, sampling, cancellationToken).ConfigureAwait(false))
        {
            var update = new ChatResponseUpdate
            {
                Role = ChatRole.Assistant,
                ResponseId = id,
                MessageId = id,
                ModelId = _metadata.DefaultModelId,
                CreatedAt = created,
                RawRepresentation = piece,
            };
            AddText(update, calls is null ? piece.Text : calls.Push(piece.Text));
            if (piece.End is { } end)
            {
                Finish(update, end, calls);
            }

            if (update.Contents.Count > 0 || piece.LogProbabilities.Count > 0)
            {
                yield return update;
            }
        }
    }

    /// <summary>Of the types <see cref="ChatClientMetadata"/>, <see cref="LoadedModel"/>, <see cref="BatchedGenerator"/> and its own.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(LoadedModel) ? _generator.Model
            : serviceType == typeof(BatchedGenerator) ? _generator
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Frees the model where <see cref="Open"/> loaded it; else there is nothing to free.</summary>
    public void Dispose()
    {
        if (_owned)
        {
            _generator.Dispose();
            _generator.Model.Dispose();
        }
    }

    private static void AddText(ChatResponseUpdate update, string text)
    {
        if (text.Length > 0)
        {
            update.Contents.Add(new TextContent(text));
        }
    }

    private static void Finish(ChatResponseUpdate update, GenerationEnd end, ToolCallReader? calls)
    {
        if (calls?.Finish() is var (rest, called))
        {
            AddText(update, rest);
            foreach (var call in called)
            {
                update.Contents.Add(call);
            }
        }

        update.FinishReason = end.Reason == FinishReason.Length ? ChatFinishReason.Length
            : update.Contents.OfType<FunctionCallContent>().Any() ? ChatFinishReason.ToolCalls
            : ChatFinishReason.Stop;
        update.Contents.Add(new UsageContent(new UsageDetails
        {
            InputTokenCount = end.PromptTokens,
            CachedInputTokenCount = end.CachedTokens,
            OutputTokenCount = end.CompletionTokens,
            TotalTokenCount = end.PromptTokens + end.CompletionTokens,
        }));
    }
}
