using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Server.Contracts;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Server;

/// <summary>A loaded model under the name that requests call it by, and how it reads what they say.</summary>
internal sealed class ServedModel : IDisposable
{
    private readonly LoadedModel _model;
    private readonly Recipe? _run;
    private readonly Lazy<bool> _callsTools;

    /// <exception cref="InputException">There is no such model, or it is not sound or not supported.</exception>
    public ServedModel(ModelToServe model, BatchOptions options)
    {
        Name = model.Name;
        _run = RunFolder.RecipeOf(model.Reference);
        _model = LoadedModel.Open(model.Reference);
        try
        {
            Generator = new BatchedGenerator(_model, options);
        }
        catch
        {
            _model.Dispose();
            throw;
        }

        Created = new DateTimeOffset(File.GetLastWriteTimeUtc(_model.Reference.Adapter ?? _model.Reference.Base)).ToUnixTimeSeconds();
        _callsTools = new(() => ToolCallReader.IsUsedBy(_model.Text));
    }

    public string Name { get; }

    /// <summary>Of its files, in seconds since 1970.</summary>
    public long Created { get; }

    public BatchedGenerator Generator { get; }

    public ModelText Text => _model.Text;

    /// <summary>The prompt of a conversation. What the run was trained with holds here, too: its system message, where the conversation has none, and whether there was a template.</summary>
    /// <exception cref="ApiException">400: the model has no tools, or no conversations.</exception>
    /// <exception cref="InputException">The template refuses the conversation.</exception>
    public int[] ChatPrompt(IReadOnlyList<JsonObject> messages, JsonArray? tools)
    {
        if ((tools is not null || messages.Any(m => m.ContainsKey("tool_calls") || RoleOf(m) == "tool")) && !_callsTools.Value)
        {
            throw ApiException.Unsupported("tools", "is not supported with this model: its chat template has no tools, or not in the way that is understood (<tool_call>).");
        }

        if (_run?.Raw == true)
        {
            return messages is [{ } only] && RoleOf(only) == "user" ? _model.RawPromptIds(only["content"]!.GetValue<string>())
                : throw ApiException.InvalidValue("messages", "this model was trained without a chat template: send one message of the role 'user', or use /v1/completions.");
        }

        if (_model.Text.Template is null)
        {
            throw new ApiException(400, "This is not a chat model: it has no chat template. Did you mean to use /v1/completions?", "model", "no_chat_template");
        }

        return _run?.System is { } system && RoleOf(messages[0]) != "system"
            ? _model.PromptIds([new JsonObject { ["role"] = "system", ["content"] = system }, .. messages], tools)
            : _model.PromptIds(messages, tools);
    }

    /// <summary>The prompt of a text to go on with.</summary>
    /// <exception cref="ApiException">400: a token that the model does not know.</exception>
    public int[] TextPrompt(TextPrompt prompt)
    {
        if (prompt.Ids is not { } ids)
        {
            return _model.RawPromptIds(prompt.Text!);
        }

        var wrong = ids.FirstOrDefault(id => id >= _model.Model.Vocabulary, -1);
        return wrong < 0 ? ids : throw ApiException.InvalidValue("prompt", $"there is no token {wrong}; the model knows those below {_model.Model.Vocabulary}.");
    }

    /// <summary>To be called before anything is generated.</summary>
    /// <exception cref="ApiException">400: a token that the model does not know, a prompt without tokens or with too many.</exception>
    public void Require(SamplingOptions sampling, int[] prompt, int? longest, string param)
    {
        if (sampling.LogitBias.Keys.FirstOrDefault(id => id >= _model.Model.Vocabulary, -1) is >= 0 and var unknown)
        {
            throw ApiException.InvalidValue("logit_bias", $"there is no token {unknown}; the model knows those below {_model.Model.Vocabulary}.");
        }

        if (prompt.Length == 0)
        {
            throw ApiException.InvalidValue(param, "it has no tokens; at least one is needed.");
        }

        var room = Math.Min(Math.Min(_model.Model.ContextLength, Generator.Statistics.CacheTokens) - 1, longest ?? int.MaxValue);
        if (prompt.Length > room)
        {
            throw new ApiException(
                400, $"This model's maximum prompt length is {room} tokens. However, your {param} resulted in {prompt.Length} tokens. Please reduce the length of the {param}.", param, "context_length_exceeded");
        }
    }

    private static string RoleOf(JsonObject message) => message["role"]!.GetValue<string>();

    public void Dispose()
    {
        Generator.Dispose();
        _model.Dispose();
    }
}
