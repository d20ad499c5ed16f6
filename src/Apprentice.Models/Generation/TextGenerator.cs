using System.Diagnostics;
using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Registry;
using Apprentice.Tensors;

namespace Apprentice.Models.Generation;

/// <summary>Prompts in, text out: decodes tokens as they come, ends at stop strings, keeps within the model's context.</summary>
/// <param name="model">The model.</param>
/// <param name="engine">Where to run.</param>
/// <param name="kept">Where there is one, prompts come one at a time and begin with what it holds.</param>
public sealed class TextGenerator(LoadedModel model, Engine engine, SequenceCache? kept = null)
{
    /// <summary>Answers prompts, each a list of ids.</summary>
    /// <param name="onText">Is shown each answer's text as it comes: index of the prompt and the next piece.</param>
    /// <param name="onDone">Is told the index of each prompt whose answer is complete.</param>
    /// <exception cref="InputException">A prompt is empty or leaves no room in the model's context.</exception>
    public IReadOnlyList<GenerationResult> Run(
        IReadOnlyList<int[]> prompts, SamplingOptions options, Action<int, string>? onText = null, Action<int>? onDone = null, CancellationToken cancellation = default)
    {
        var answers = prompts.Select(_ => new Answer(model.Text.Tokenizer, options.Stop)).ToArray();
        var requests = prompts.Select(p => Request(p, options)).ToArray();
        var watch = Stopwatch.StartNew();
        new Generator(model.Model, engine, model.Adapter, kept: kept).Run(requests, OnToken, OnFinish, cancellation);
        return [.. answers.Select((a, i) => a.Result(prompts[i].Length, prompts[i].Length - (kept?.Reused ?? 0)))];

        bool OnToken(int i, int token)
        {
            var text = answers[i].Push(token, watch.Elapsed.TotalSeconds);
            Show(i, text);
            return !answers[i].Stopped;
        }

        void OnFinish(int i, FinishReason reason)
        {
            Show(i, answers[i].Finish(reason, watch.Elapsed.TotalSeconds));
            onDone?.Invoke(i);
        }

        void Show(int i, string text)
        {
            if (text.Length > 0)
            {
                onText?.Invoke(i, text);
            }
        }
    }

    private GenerationRequest Request(int[] prompt, SamplingOptions options) =>
        new(prompt, options with { MaxTokens = Math.Min(options.MaxTokens, PromptRoom.Of(prompt, model.Model.ContextLength)) }, model.EndTokens);

    private sealed class Answer(Tokenizer tokenizer, IReadOnlyList<string> stops)
    {
        private readonly AnswerText _pieces = new(tokenizer, stops);
        private readonly System.Text.StringBuilder _text = new();
        private int _tokens;
        private double _first;
        private double _last;
        private FinishReason _reason;

        public bool Stopped => _pieces.StopString is not null;

        public string Push(int token, double now)
        {
            _first = _tokens++ == 0 ? now : _first;
            return Keep(_pieces.Push(token));
        }

        public string Finish(FinishReason reason, double now)
        {
            _reason = reason;
            _last = now;
            return Keep(_pieces.Finish());
        }

        public GenerationResult Result(int promptTokens, int computedTokens)
        {
            // The end token was computed, too; the first token's time is the prompt's.
            var ended = _reason == FinishReason.Stop && !Stopped;
            var tokens = _tokens + (ended ? 1 : 0);
            var reading = _tokens > 0 ? _first : _last;
            var writing = _last - reading;
            return new GenerationResult(
                _text.ToString(),
                promptTokens,
                tokens,
                _reason == FinishReason.Stop ? "stop" : "length",
                reading > 0 ? computedTokens / reading : 0,
                writing > 0 ? (tokens - 1) / writing : 0);
        }

        private string Keep(string text)
        {
            _text.Append(text);
            return text;
        }
    }
}
