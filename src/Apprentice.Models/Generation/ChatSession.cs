using System.Text;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tensors;

namespace Apprentice.Models.Generation;

/// <summary>An answer within a conversation.</summary>
/// <param name="Text">What was said, as far as it came.</param>
/// <param name="Generation">Figures, or null where the answer was interrupted.</param>
/// <param name="PromptTokens">Tokens of the conversation up to the answer.</param>
/// <param name="CachedTokens">How many of them had been computed for earlier answers.</param>
public sealed record ChatAnswer(string Text, GenerationResult? Generation, int PromptTokens, int CachedTokens);

/// <summary>
/// A conversation with a model: what was said, and the keys and values of it, so that each answer computes only what is new.
/// Knows nothing of where questions come from and answers go to.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="engine">Where to run.</param>
/// <param name="raw">Without the chat template: the model goes on with the text so far.</param>
public sealed class ChatSession(LoadedModel model, Engine engine, bool raw = false)
{
    private readonly SequenceCache _cache = new();
    private readonly List<JsonObject> _messages = [];

    /// <summary>A message before all others, or null. A change holds from the beginning of the conversation.</summary>
    public string? System { get; set; }

    /// <summary>What was said, the system message first.</summary>
    public IReadOnlyList<JsonObject> Messages => System is null ? _messages : [LoadedModel.Message("system", System), .. _messages];

    public int ContextLength => model.Model.ContextLength;

    /// <summary>Forgets what was said.</summary>
    public void Reset() => _messages.Clear();

    /// <summary>
    /// Answers, and keeps question and answer; of an interrupted answer as much as had come, and where nothing had, neither.
    /// </summary>
    /// <param name="show">Is given the answer piece by piece.</param>
    /// <param name="cancellation">Interrupts the answer.</param>
    /// <exception cref="InputException">
    /// Code <c>context_full</c> where the conversation leaves no room for an answer, or the chat template refuses it. The
    /// conversation is then as it was.
    /// </exception>
    public ChatAnswer Answer(string question, SamplingOptions sampling, Action<string> show, CancellationToken cancellation = default)
    {
        _messages.Add(LoadedModel.Message("user", question));
        var text = new StringBuilder();
        try
        {
            var prompt = Prompt();
            GenerationResult? result = null;
            try
            {
                result = new TextGenerator(model, engine, _cache).Run(
                    [prompt],
                    sampling,
                    (_, piece) =>
                    {
                        text.Append(piece);
                        show(piece);
                    },
                    cancellation: cancellation)[0];
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                // what has come is the answer
            }

            if (result is not null || text.Length > 0)
            {
                _messages.Add(LoadedModel.Message("assistant", text.ToString()));
            }

            return new ChatAnswer(text.ToString(), result, prompt.Length, _cache.Reused);
        }
        finally
        {
            if (_messages.Count > 0 && (string?)_messages[^1]["role"] == "user")
            {
                _messages.RemoveAt(_messages.Count - 1);
            }
        }
    }

    private int[] Prompt()
    {
        var prompt = raw ? model.RawPromptIds(string.Concat(_messages.Select((m, i) => i > 0 && i % 2 == 0 ? $"\n{m["content"]}" : $"{m["content"]}"))) : model.PromptIds(Messages);
        return prompt.Length < ContextLength ? prompt : throw new InputException(
            "context_full",
            $"the conversation has come to {prompt.Length} tokens and the model's context is {ContextLength}, which leaves no room for an answer",
            hint: _messages.Count > 1 ? "/reset begins a new conversation" : "ask something shorter");
    }
}
