using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Data.Metrics;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;

namespace Apprentice.Evaluation;

/// <summary>One held-out example with the model's answer.</summary>
/// <param name="Prompt">The last user message, or the raw prompt; empty for plain text.</param>
/// <param name="Answer">Null where no metric looks at answers.</param>
/// <param name="Scores">By the metric's name.</param>
/// <param name="Tokens">Weight of the tokens that the loss is a mean over; null without that metric.</param>
public sealed record ScoredAnswer(string Prompt, string Expected, string? Answer, IReadOnlyDictionary<string, double> Scores, double? Tokens = null);

/// <summary>Lets a model answer held-out examples and scores the answers, or measures its loss on the expected ones.</summary>
public static class Evaluator
{
    private const ulong BootstrapSeed = 1;

    private static readonly JsonSerializerOptions RowJson = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Answers and scores every example, in their order.</summary>
    /// <param name="raw">Prompts as they are, without the chat template.</param>
    /// <param name="system">A system message for conversations that have none, or null.</param>
    /// <param name="progress">Is told the share done, 0 to 1.</param>
    /// <exception cref="InputException">An example has no prompt, or its prompt does not fit the model.</exception>
    public static IReadOnlyList<ScoredAnswer> Run(
        LoadedModel model, Engine engine, IReadOnlyList<Example> examples, IReadOnlyList<Metric> metrics, SamplingOptions sampling,
        bool raw = false, string? system = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        var given = system is null ? examples : [.. examples.Select(e => e.WithSystem(system))];
        var answers = metrics.Any(m => m.Score is not null) ? Answer(model, engine, given, sampling, raw, progress, cancellation) : null;
        var losses = metrics.Any(m => m.Score is null) ? HeldOutLoss.Run(model, engine, given, raw, answers is null ? progress : null, cancellation) : null;
        return
        [
            .. examples.Select((example, i) => new ScoredAnswer(
                PromptOf(example, raw),
                example.Expected,
                answers?[i],
                metrics.ToDictionary(m => m.Name, m => m.Score?.Invoke(answers![i], example.Expected) ?? losses![i].NegativeLogLikelihood / losses[i].Weight),
                losses?[i].Weight)),
        ];
    }

    /// <summary>The mean of each metric with its 95% interval; the loss is the mean over tokens, not over examples.</summary>
    public static EvaluationSummary Summarize(IReadOnlyList<ScoredAnswer> answers, IReadOnlyList<Metric> metrics) => new(
        answers.Count,
        metrics.ToDictionary(m => m.Name, m => m.Summarize(
            [.. answers.Select(a => a.Scores[m.Name])], BootstrapSeed, m.Score is null ? [.. answers.Select(a => a.Tokens!.Value)] : null)));

    /// <summary>A JSON line for each answer.</summary>
    public static string Rows(IEnumerable<ScoredAnswer> answers) => string.Concat(answers.Select(a => JsonSerializer.Serialize(a, RowJson) + "\n"));

    private static string[] Answer(
        LoadedModel model, Engine engine, IReadOnlyList<Example> examples, SamplingOptions sampling, bool raw, IProgress<double>? progress, CancellationToken cancellation)
    {
        var prompts = examples.Select(e => PromptIds(model, e, raw)).ToArray();
        var done = 0;
        var answers = new TextGenerator(model, engine).Run(
            prompts, sampling, onDone: _ => progress?.Report((double)++done / prompts.Length), cancellation: cancellation);
        return [.. answers.Select(a => a.Text)];
    }

    private static int[] PromptIds(LoadedModel model, Example example, bool raw)
    {
        if (raw)
        {
            return example.Raw is { } pair
                ? model.RawPromptIds(pair.Prompt)
                : throw new InputException("raw_needs_prompt_completion", "without the chat template only prompt/completion data can be evaluated", example.File, example.Line);
        }

        return example.Prompt.Count > 0
            ? model.PromptIds(example.Prompt, example.Tools)
            : throw new InputException("no_prompt", "the example has nothing to answer: plain text cannot be evaluated this way", example.File, example.Line, "measure the loss: --metric loss");
    }

    private static string PromptOf(Example example, bool raw) =>
        raw && example.Raw is { } pair ? pair.Prompt : example.Prompt.Count > 0 ? TextOf(example.Prompt[^1]) : "";

    private static string TextOf(JsonObject message) => message["content"] is JsonValue value && value.TryGetValue<string>(out var text)
        ? text
        : message["content"]?.ToJsonString(RowJson) ?? "";
}
