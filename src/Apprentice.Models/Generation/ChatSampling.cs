using System.Security.Cryptography;
using Microsoft.Extensions.AI;

namespace Apprentice.Models.Generation;

/// <summary>What <see cref="ChatOptions"/> say of the choice of tokens, as <see cref="SamplingOptions"/>.</summary>
internal static class ChatSampling
{
    /// <summary>As long as the context leaves room for, since nothing shorter was asked for.</summary>
    private static readonly SamplingOptions Defaults = new() { MaxTokens = int.MaxValue };

    /// <exception cref="NotSupportedException">Something is asked for that is not supported.</exception>
    /// <exception cref="Data.InputException">Code <c>bad_option</c>: a value is out of its range.</exception>
    public static SamplingOptions Of(ChatOptions? options, ModelChatClient client)
    {
        if (options is null)
        {
            return Defaults;
        }

        RequireSupported(options, client.GetRequiredService<ChatClientMetadata>().DefaultModelId!);
        var basis = options.RawRepresentationFactory?.Invoke(client) switch
        {
            null => Defaults,
            SamplingOptions own => own,
            var other => throw new NotSupportedException($"RawRepresentationFactory gives a {other.GetType()}; give {typeof(SamplingOptions)} or null"),
        };
        var sampling = basis with
        {
            Temperature = options.Temperature ?? basis.Temperature,
            TopP = options.TopP ?? basis.TopP,
            TopK = options.TopK ?? basis.TopK,
            FrequencyPenalty = options.FrequencyPenalty ?? basis.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty ?? basis.PresencePenalty,
            MaxTokens = options.MaxOutputTokens ?? basis.MaxTokens,
            Stop = options.StopSequences is { Count: > 0 } stop ? [.. stop] : basis.Stop,
            // Whoever draws and names no seed wants another answer each time.
            Seed = options.Seed ?? (ReferenceEquals(basis, Defaults) ? RandomNumberGenerator.GetInt32(int.MaxValue) : basis.Seed),
        };
        sampling.Validate();
        return sampling;
    }

    private static void RequireSupported(ChatOptions options, string model)
    {
        Require(options.ModelId is null || options.ModelId == model, $"this client has the model '{model}'; for '{options.ModelId}' open another");
        Require(options.ResponseFormat is null or ChatResponseFormatText, "a response format other than text is not supported; ask for JSON in the prompt");
        Require(options.ConversationId is null, "conversations are not kept; give all messages each time, and no ConversationId");
        Require(options.AllowBackgroundResponses is not true && options.ContinuationToken is null, "answers in the background are not supported");
        Require(options.Reasoning is null, "a reasoning effort is not supported");
        Require(
            options.AdditionalProperties is not { Count: > 0 },
            $"additional property '{options.AdditionalProperties?.Keys.FirstOrDefault()}' is not known; for settings beyond ChatOptions let RawRepresentationFactory give {nameof(SamplingOptions)}");
    }

    private static void Require(bool ok, string otherwise)
    {
        if (!ok)
        {
            throw new NotSupportedException(otherwise);
        }
    }
}
