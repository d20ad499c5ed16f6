using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Data.Files;
using Apprentice.Data.Metrics;
using Apprentice.Evaluation;
using Apprentice.Models.Export;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Training.Runs;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Recipes;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>export</c> does, apart from options and printing: writes the artifact, then opens it and judges it.</summary>
internal static class ExportWork
{
    /// <param name="note">Is told what the user should know and is no error.</param>
    public static ExportSummary Run(ExportRequest request, Action<string> note, IProgress<double> progress, CancellationToken cancel)
    {
        RequirePlace(request);
        var run = RunFolder.RecipeOf(request.Model);
        var heldOut = HeldOut(request, run, note); // bad data and unknown metrics are said before anything is written
        var metrics = Metrics(request, run, heldOut);
        ExportSummary summary;
        IReadOnlyList<ScoredAnswer> before;
        string baseModel;
        using (var model = LoadedModel.Open(request.Model))
        {
            summary = Write(request, model, note);
            if (heldOut.Count == 0)
            {
                return summary;
            }

            before = Answers(model, 0);
            baseModel = model.Reference.Base;
        }

        // The base of an adapter may be named relative to another place than that of the artifact.
        using var artifact = request.Format is ExportFormat.Peft or ExportFormat.GgufAdapter ? LoadedModel.Open(baseModel, adapter: request.Out) : LoadedModel.Open(request.Out);
        return summary with { HeldOut = ArtifactCheck.Of(before, Answers(artifact, 0.5), metrics) };

        IReadOnlyList<ScoredAnswer> Answers(LoadedModel model, double done)
        {
            using var engine = new Engine(request.Threads);
            var sampling = request.MaxTokens is { } most ? new SamplingOptions { MaxTokens = most } : new SamplingOptions();
            return Evaluator.Run(model, engine, heldOut, metrics, sampling, run?.Raw == true, run?.System, new Half(progress, done), cancel);
        }
    }

    private static void RequirePlace(ExportRequest request)
    {
        if (request.Format is ExportFormat.Gguf or ExportFormat.GgufAdapter)
        {
            Work.RequireWritable(request.Out);
            return;
        }

        Work.RequireNewFolder(request.Out);
    }

    private static ExportSummary Write(ExportRequest request, LoadedModel model, Action<string> note)
    {
        switch (request.Format)
        {
            case ExportFormat.Peft:
                Work.WriteFolder(request.Out, folder => FolderExport.WriteAdapter(model, folder));
                return Summary(nameof(StorageType.F32), model.Adapter!.ParameterCount);
            case ExportFormat.GgufAdapter:
                WriteFile(request.Out, stream => GgufAdapterExport.Write(model, Path.GetFileNameWithoutExtension(request.Out), model.Adapter?.Config.BaseModel, stream));
                return Summary(nameof(StorageType.F32), model.Adapter!.ParameterCount);
            case ExportFormat.Safetensors:
                Work.WriteFolder(request.Out, folder => FolderExport.WriteModel(model, request.Type, folder));
                break;
            default:
                WriteGguf(request, model, note);
                break;
        }

        return Summary(request.Type.ToString(), model.Model.ParameterCount);

        ExportSummary Summary(string type, long parameters) => new(request.Out, request.Format, type, BytesOf(request.Out), parameters);
    }

    private static void WriteGguf(ExportRequest request, LoadedModel model, Action<string> note)
    {
        IReadOnlyList<string> others = [];
        WriteFile(request.Out, stream => others = GgufExport.Write(model, request.Type, Path.GetFileNameWithoutExtension(request.Out), stream));
        if (others.Count > 0)
        {
            note($"{others.Count} matrices, such as {others[0]}, are F16: their rows are no whole number of blocks of {request.Type}");
        }
    }

    private static void WriteFile(string path, Action<Stream> write) => AtomicFile.Write(path, stream =>
    {
        var buffered = new BufferedStream(stream, 1 << 16); // not to be disposed: it would close the file
        write(buffered);
        buffered.Flush();
    });

    private static long BytesOf(string path) => Directory.Exists(path) ? Directory.GetFiles(path).Sum(f => new FileInfo(f).Length) : new FileInfo(path).Length;

    /// <summary>The files that were given, else what the run kept as its test; without either, or where that is gone, nothing.</summary>
    private static IReadOnlyList<Example> HeldOut(ExportRequest request, Recipe? run, Action<string> note)
    {
        if (request.Data.Count > 0 || run is null)
        {
            return Work.ReadHeldOut(request.Data, DataFormat.Auto, run?.Columns, run);
        }

        try
        {
            return Work.TestOf(request.Model, run);
        }
        catch (InputException e)
        {
            note($"not tried on the run's test: {ErrorReport.Of(e).Said()}");
            return [];
        }
    }

    /// <summary>The loss shows small differences that answers do not, and needs no prompt.</summary>
    private static Metric[] Metrics(ExportRequest request, Recipe? run, IReadOnlyList<Example> heldOut)
    {
        IEnumerable<string> names = request.Metrics.Count > 0 ? request.Metrics
            : heldOut.All(e => e.Prompt.Count > 0) ? [run?.Metric ?? "exact_match", "loss"]
            : ["loss"];
        return [.. names.Distinct().Select(Metric.Find)];
    }

    /// <summary>One half of the work.</summary>
    private sealed class Half(IProgress<double> whole, double done) : IProgress<double>
    {
        public void Report(double value) => whole.Report(done + value / 2);
    }
}
