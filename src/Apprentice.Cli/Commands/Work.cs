using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Data.Metrics;
using Apprentice.Evaluation;
using Apprentice.Models.Export;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary>What the commands that run a model do, apart from options and printing.</summary>
internal static class Work
{
    public static IReadOnlyList<GenerationResult> Generate(GenerateRequest request, Action<string>? show, CancellationToken cancel)
    {
        using var model = LoadedModel.Open(request.Model);
        using var engine = new Engine(request.Threads);
        var prompts = request.Prompts.Select(p => request.Raw ? model.RawPromptIds(p) : model.PromptIds(Messages(request.System, p))).ToArray();
        return new TextGenerator(model, engine).Run(prompts, request.Sampling, show is null ? null : (_, text) => show(text), cancellation: cancel);
    }

    public static EvaluationSummary Evaluate(EvaluateRequest request, IProgress<double> progress, CancellationToken cancel)
    {
        RequireWritable(request.Out);
        var names = request.Metrics.Count > 0 ? request.Metrics : [DefaultMetric(request.Model)];
        var metrics = names.Select(Metric.Find).ToArray();
        var examples = request.Data.SelectMany(file => DatasetReader.Read(file, columns: request.Columns).Examples).ToArray();
        using var model = LoadedModel.Open(request.Model);
        using var engine = new Engine(request.Threads);
        var answers = Evaluator.Run(model, engine, examples, metrics, request.Sampling, request.Raw, request.System, progress, cancel);
        if (request.Out is { } file)
        {
            Evaluator.Write(file, answers);
        }

        return Evaluator.Summarize(answers, metrics);
    }

    public static ExportSummary Export(ExportRequest request)
    {
        using var model = LoadedModel.Open(request.Model);
        var name = Path.GetFileNameWithoutExtension(request.Out);
        AtomicFile.Write(request.Out, stream =>
        {
            var buffered = new BufferedStream(stream, 1 << 16); // not to be disposed: it would close the file
            GgufExport.Write(model, request.Type, name, buffered);
            buffered.Flush();
        });
        return new ExportSummary(request.Out, "gguf", request.Type.ToString(), new FileInfo(request.Out).Length, model.Model.ParameterCount);
    }

    private static string DefaultMetric(string model) =>
        (RunFolder.IsRun(model) ? RunFolder.Open(model).ReadRecipe().Metric : null) ?? "exact_match";

    /// <summary>Before the work is done, not when its result is to be written.</summary>
    public static void RequireWritable(string? outFile)
    {
        if (outFile is not null)
        {
            RequireFolderOf(outFile);
            AtomicFile.RequireWritable(outFile);
        }
    }

    public static void RequireFolderOf(string outFile)
    {
        if (Path.GetDirectoryName(outFile) is { Length: > 0 } folder && !Directory.Exists(folder))
        {
            throw new InputException("folder_not_found", "there is no such folder to write into", outFile,
                hint: MissingFile.Near(folder) is { } near && Directory.Exists(near) ? MissingFile.DidYouMean(Path.Combine(near, Path.GetFileName(outFile))) : $"make it first: mkdir -p {folder}");
        }
    }

    private static List<JsonObject> Messages(string? system, string prompt)
    {
        var messages = new List<JsonObject>();
        if (system is not null)
        {
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = system });
        }

        messages.Add(new JsonObject { ["role"] = "user", ["content"] = prompt });
        return messages;
    }
}
