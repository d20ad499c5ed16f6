using System.Diagnostics;
using Apprentice.Cli.LiveView;
using Apprentice.Data.Datasets;
using Apprentice.Evaluation;
using Apprentice.Evaluation.Reports;
using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Training;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;
using EventLog = Apprentice.Training.Runs.EventLog;

namespace Apprentice.Cli.Quickstart;

/// <summary>What <c>quickstart</c> is asked to do.</summary>
/// <param name="Model">The base model's reference.</param>
/// <param name="Folder">The folder of the run to come.</param>
/// <param name="MaxSteps">Null: as many as the recipe has.</param>
/// <param name="Threads">Null: one per core.</param>
internal sealed record QuickstartRequest(string Model, string Folder, int Seed, int? MaxSteps, int? Threads);

/// <param name="Report">Null where the training was interrupted.</param>
/// <param name="EvaluationSeconds">All three contenders together.</param>
internal sealed record QuickstartResult(TrainingSummary Training, Report? Report, string? ReportFile, double EvaluationSeconds);

/// <summary>The whole path on the bundled examples: show, train, measure three contenders, judge, report.</summary>
internal sealed class QuickstartRun(QuickstartRequest request, QuickstartView view, Terminal terminal)
{
    // Small models learn more where all their weights move; larger or quantised ones get an adapter.
    private const long LargestFull = 20_000_000;

    private readonly IReadOnlyList<Example> _training = SupportDesk.Examples(SupportDesk.TrainingFile);
    private readonly IReadOnlyList<Example> _test = SupportDesk.Examples(SupportDesk.TestFile);

    public async Task<QuickstartResult> RunAsync(CancellationToken cancel)
    {
        using var baseModel = LoadedModel.Open(request.Model);
        var shown = new ExampleParts(baseModel.Text, _training[0]);
        view.Material(_training.Count, shown);

        view.Training();
        var summary = await TrainingView.ShowAsync(terminal, progress => Task.Run(() => Trainer.Train(RecipeFor(baseModel.Model), progress, cancel), CancellationToken.None));
        summary = summary with { Model = null }; // a try-out, to be thrown away, is not registered
        if (summary.Status != RunStatus.Succeeded)
        {
            return new QuickstartResult(summary, null, null, 0);
        }

        view.Measuring(_test.Count);
        var watch = Stopwatch.StartNew();
        var comparison = await Task.Run(() => Measure(baseModel, cancel), cancel);
        var seconds = watch.Elapsed.TotalSeconds;
        var report = ReportOf(comparison, shown, baseModel.Model.ParameterCount, summary, seconds);
        return new QuickstartResult(summary, report, report.Write(request.Folder), seconds);
    }

    private Recipe RecipeFor(LanguageModel model)
    {
        var full = model.ParameterCount <= LargestFull && model.Weights.Values.All(w => w.Type <= StorageType.BF16);
        return new Recipe
        {
            Model = request.Model,
            Data = [SupportDesk.TrainingFile],
            Validation = HeldOut.FromFile(SupportDesk.ValidationFile),
            Out = request.Folder,
            Method = full ? TrainingMethod.Full : TrainingMethod.Lora,
            LearningRate = full ? 1e-3 : model.ParameterCount <= LargestFull ? 4e-3 : null,
            Epochs = 5,
            BatchSize = 8,
            MaxSteps = request.MaxSteps,
            Seed = request.Seed,
            Threads = request.Threads,
        };
    }

    private Comparison Measure(LoadedModel baseModel, CancellationToken cancel)
    {
        // Room for the longest right answer and a quarter more: what is longer is wrong already.
        var longest = _test.Max(e => baseModel.Text.Tokenizer.Encode(e.Expected, addSpecialTokens: false).Ids.Length);
        var sampling = new SamplingOptions { MaxTokens = longest + longest / 4 + 1 };
        using var engine = new Engine(request.Threads);
        using var tuned = LoadedModel.Open(request.Folder);
        return new Comparison(
            SupportDesk.Metrics,
            [
                Contend("base", "the base model, given the message alone", baseModel),
                Contend("base + prompt", $"the base model, told in a prompt what to do ({PromptTokens(baseModel.Text)} tokens before each message)", baseModel, SupportDesk.Prompt),
            ],
            Contend("fine-tuned", "the base model after training, given the message alone", tuned));

        Contender Contend(string name, string description, LoadedModel model, string? system = null)
        {
            var answers = view.Watch(name, progress => Evaluator.Run(model, engine, _test, SupportDesk.Metrics, sampling, system: system, progress: progress, cancellation: cancel));
            return Contender.Of(name, description, answers, SupportDesk.Metrics);
        }
    }

    private static int PromptTokens(ModelText text) => text.Tokenizer.Encode(SupportDesk.Prompt, addSpecialTokens: false).Ids.Length;

    private Report ReportOf(Comparison comparison, ExampleParts shown, long parameters, TrainingSummary summary, double seconds)
    {
        var run = RunFolder.Open(request.Folder);
        var recipe = run.ReadRecipe();
        return new Report(
            SupportDesk.Title,
            Verdict.Of(comparison),
            comparison,
            EventLog.Read(run.EventsFile),
            Chosen(comparison),
            "The first three of the held-out examples, and the first two that the fine-tuned model got wrong, if there are any.",
            new Fact(shown.Read, shown.Learned),
            [
                new("Base model", Format.Text($"{request.Model}, {parameters / 1e6:0.0} million parameters")),
                new("Examples", $"{_training.Count} to learn from, {SupportDesk.Examples(SupportDesk.ValidationFile).Count} that watch over the training, {_test.Count} held out for the judgement"),
                new("Method", Format.Text($"{recipe.Method?.ToString().ToLowerInvariant()}, {Format.Count(summary.TrainableParameters)} numbers trained")),
                new("Steps", Format.Text($"{summary.Steps} of {recipe.BatchSize} examples, {summary.Epochs:0.#} passes")),
                new("Learning rate", Format.Text($"{recipe.LearningRate:0.####}, {recipe.Schedule?.ToString().ToLowerInvariant()}")),
                new("Loss", $"training {Format.Loss(summary.TrainLoss)}, validation {(summary.ValidLoss is { } loss ? Format.Loss(loss) : "-")}"),
                new("Time", $"training {Format.Duration(TimeSpan.FromSeconds(summary.DurationSeconds))}, measuring {Format.Duration(TimeSpan.FromSeconds(seconds))}"),
                new("Peak memory", Format.Bytes(summary.PeakMemoryBytes)),
                new("Seed", Format.Text($"{request.Seed}")),
                new("Folder", request.Folder),
            ],
            NextSteps());
    }

    private List<Fact> NextSteps() =>
    [
        new("Ask the model that was just made:", $"{Invocation.Name} generate --model {request.Folder} --prompt \"The teapot from order 4711 is broken, and I need it today.\""),
        new("Begin with examples of your own: this makes a folder with a recipe and sample data to replace.", $"{Invocation.Name} new my-task"),
        new("Train on them:", $"{Invocation.Name} train my-task"),
    ];

    private static Sample[] Chosen(Comparison comparison)
    {
        var answers = comparison.Tuned.Answers;
        var wrong = Enumerable.Range(0, answers.Count).Where(i => answers[i].Scores[comparison.Primary.Name] == 0).Take(2);
        return
        [
            .. Enumerable.Range(0, Math.Min(3, answers.Count)).Union(wrong).Select(i => new Sample(
                answers[i].Prompt, answers[i].Expected, [.. comparison.Contenders.Select(c => new SampleAnswer(c.Answers[i].Answer!, c.Answers[i].Scores))])),
        ];
    }
}
