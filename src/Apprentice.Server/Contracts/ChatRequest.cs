using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Server.Contracts;

/// <summary>The schema CreateChatCompletionRequest, as far as it can be done here; the rest is refused by name.</summary>
/// <param name="Model">A served model's name.</param>
/// <param name="Messages">As chat templates take them.</param>
/// <param name="Tools">What the model may call, as chat templates take it; null: nothing.</param>
/// <param name="Sampling">How to answer. Its longest answer is what the context leaves where none was given.</param>
internal sealed record ChatRequest(string Model, IReadOnlyList<JsonObject> Messages, JsonArray? Tools, SamplingRequest Sampling)
{
    private const int MaximumMetadata = 16;

    /// <exception cref="ApiException">400: the request is not as it should be, or asks for what cannot be done.</exception>
    public static ChatRequest Read(RequestFields fields)
    {
        var model = fields.RequireText("model");
        var messages = ChatMessages.Read(fields);
        var tools = ChatTools.Read(fields);
        var sampling = SamplingRequest.Read(fields);
        sampling = sampling with { Sampling = sampling.Sampling with { MaxTokens = MaxTokens(fields), LogProbabilities = LogProbabilities(fields) } };
        AcceptHarmless(fields);
        RefuseUnsupported(fields);
        fields.RequireNoOthers();
        return new ChatRequest(model, messages, tools, sampling);
    }

    private static int MaxTokens(RequestFields fields)
    {
        var old = fields.Integer("max_tokens", 1, int.MaxValue);
        var now = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        return old is null || now is null ? (int)(now ?? old ?? int.MaxValue)
            : throw new ApiException(400, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens", "invalid_parameter_combination");
    }

    private static int? LogProbabilities(RequestFields fields)
    {
        var asked = fields.Flag("logprobs") ?? false;
        var top = fields.Integer("top_logprobs", 0, 20);
        return top is > 0 && !asked ? throw ApiException.InvalidValue("top_logprobs", "'logprobs' must be true where it is given.")
            : asked ? (int)(top ?? 0) : null;
    }

    /// <summary>What an answer does not depend on: OpenAI's own bookkeeping.</summary>
    private static void AcceptHarmless(RequestFields fields)
    {
        fields.Text("safety_identifier", 64);
        fields.Text("prompt_cache_key", 512); // beginnings are found by their tokens, whatever their key
        fields.Accept("prompt_cache_options", JsonValueKind.Object, "an object");
        if (fields.Text("prompt_cache_retention") is { } retention && retention is not ("in_memory" or "in-memory" or "24h"))
        {
            throw ApiException.UnsupportedValue("prompt_cache_retention", $"'{ApiException.Shown(retention)}'", "Supported values are: 'in_memory' and '24h'.");
        }

        if (fields.Object("metadata") is not null && fields.Any("metadata") is JsonObject metadata
            && (metadata.Count > MaximumMetadata || metadata.Any(m => m.Value?.GetValueKind() != JsonValueKind.String)))
        {
            throw ApiException.InvalidValue("metadata", $"expected at most {MaximumMetadata} keys with strings as values.");
        }
    }

    private static void RefuseUnsupported(RequestFields fields)
    {
        const string NotHere = "is not supported with this model.";
        fields.Refuse("service_tier", "is not supported here; leave it out, or give 'auto' or 'default'.", "\"auto\"", "\"default\"");
        fields.Refuse("store", "is not supported here: no answers are stored; leave it out or set it to false.", "false");
        fields.Refuse("modalities", "is not supported here beyond ['text'].", "[\"text\"]");
        fields.Refuse("verbosity", NotHere, "\"medium\"");
        fields.Refuse("reasoning_effort", NotHere);
        fields.Refuse("response_format", "is not supported with this model beyond {'type': 'text'}: a format cannot be enforced; ask for it in the prompt, or use a model that was fine-tuned for it.", "{\"type\":\"text\"}");
        fields.Refuse("prediction", NotHere);
        fields.Refuse("audio", NotHere);
        fields.Refuse("web_search_options", NotHere);
        fields.Refuse("moderation", NotHere);
        fields.Refuse("functions", "is not supported: it is deprecated in favor of 'tools'.");
        fields.Refuse("function_call", "is not supported: it is deprecated in favor of 'tool_choice'.", "\"none\"", "\"auto\"");
    }
}
