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
/// <param name="Prompt">The last user message, or the raw prompt.</param>
/// <param name="Scores">By the metric's name.</param>
public sealed record ScoredAnswer(string Prompt, string Expected, string Answer, IReadOnlyDictionary<string, double> Scores);

/// <summary>Lets a model answer held-out examples and scores the answers.</summary>
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
        var prepared = examples.Select(e => Prepare(model, e, raw, system)).ToArray();
        var done = 0;
        var answers = new TextGenerator(model, engine).Run(
            [.. prepared.Select(p => p.Ids)], sampling, onDone: _ => progress?.Report((double)++done / prepared.Length), cancellation: cancellation);
        return
        [
            .. examples.Select((example, i) => new ScoredAnswer(
                prepared[i].Prompt, example.Expected, answers[i].Text, metrics.ToDictionary(m => m.Name, m => m.Score(answers[i].Text, example.Expected)))),
        ];
    }

    /// <summary>The mean of each metric with its 95% interval.</summary>
    public static EvaluationSummary Summarize(IReadOnlyList<ScoredAnswer> answers, IReadOnlyList<Metric> metrics) => new(
        answers.Count, metrics.ToDictionary(m => m.Name, m => m.Summarize([.. answers.Select(a => a.Scores[m.Name])], BootstrapSeed)));

    /// <summary>A JSON line for each answer.</summary>
    public static void Write(string path, IEnumerable<ScoredAnswer> answers) =>
        File.WriteAllLines(path, answers.Select(a => JsonSerializer.Serialize(a, RowJson)));

    private static (string Prompt, int[] Ids) Prepare(LoadedModel model, Example example, bool raw, string? system)
    {
        if (raw)
        {
            return example.Raw is { } pair
                ? (pair.Prompt, model.RawPromptIds(pair.Prompt))
                : throw new InputException("raw_needs_prompt_completion", "without the chat template only prompt/completion data can be evaluated", example.File, example.Line);
        }

        example = system is null ? example : example.WithSystem(system);
        return example.Prompt.Count > 0
            ? (TextOf(example.Prompt[^1]), model.PromptIds(example.Prompt, example.Tools))
            : throw new InputException("no_prompt", "the example has nothing to answer: plain text cannot be evaluated this way", example.File, example.Line);
    }

    private static string TextOf(JsonObject message) => message["content"] is JsonValue value && value.TryGetValue<string>(out var text)
        ? text
        : message["content"]?.ToJsonString(RowJson) ?? "";
}
