using System.CommandLine;
using System.Text.Json.Serialization;
using Apprentice.Data;
using Apprentice.Evaluation;
using Apprentice.Models.Export;
using Apprentice.Tensors;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>export</c> can write.</summary>
internal enum ExportFormat
{
    /// <summary>One file, tokenizer and chat template inside.</summary>
    Gguf,

    /// <summary>A Hugging Face folder.</summary>
    Safetensors,

    /// <summary>The adapter alone, as PEFT's folder.</summary>
    Peft,

    /// <summary>The adapter alone, as llama.cpp puts it on its base.</summary>
    [JsonStringEnumMemberName(ExportCommand.GgufAdapter)]
    GgufAdapter,
}

/// <summary>What <c>export</c> is asked to do.</summary>
/// <param name="Model">A model reference.</param>
/// <param name="Type">Of the matrices; an adapter alone is always F32.</param>
/// <param name="Out">The file or folder to write.</param>
/// <param name="Data">Held-out examples to run on the artifact; none: those that the run kept as its test, if any.</param>
/// <param name="Metrics">Names; none: the one of the run's recipe, else exact_match, and the loss.</param>
/// <param name="MaxTokens">Longest answer; null: as evaluate has it.</param>
/// <param name="Threads">Null: one per core.</param>
internal sealed record ExportRequest(
    string Model, ExportFormat Format, StorageType Type, string Out, IReadOnlyList<string> Data, IReadOnlyList<string> Metrics, int? MaxTokens, int? Threads);

/// <summary>The JSON of <c>export</c>.</summary>
internal sealed record ExportSummary(string Out, ExportFormat Format, string Quant, long Bytes, long Parameters, ArtifactCheck? HeldOut = null);

/// <summary><c>export</c>: a model as a file or folder that other programs read, tried on held-out examples.</summary>
internal static class ExportCommand
{
    public const string GgufAdapter = "gguf-adapter";

    public delegate Task<ExportSummary> Work(ExportRequest request, Action<string> note, IProgress<double> progress, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work export)
    {
        var model = new Argument<string>("MODEL") { Description = CommonOptions.ModelKinds };
        var format = new Option<string>("--format")
        {
            Description = "What to write: a GGUF file, a Hugging Face folder, or the adapter alone as PEFT's folder or llama.cpp's file. Default: gguf.",
            HelpName = string.Join('|', Formats),
            DefaultValueFactory = _ => nameof(ExportFormat.Gguf),
        };
        var quant = new Option<string?>("--quant")
        {
            Description = "How the matrices are stored. Default: F16 in a GGUF file, F32 in a folder.",
            HelpName = string.Join('|', GgufExport.FileTypes.Keys),
        };
        var outPath = CommonOptions.File("--out", "The file or folder to write.");
        outPath.Required = true;
        var data = new Option<string[]>("--data") { Description = "Held-out examples (JSONL or CSV) to run on what was written; may be given more than once. Default: what the run's recipe keeps as test.", HelpName = "FILE" };
        var metric = new Option<string[]>("--metric") { Description = "What to measure on them; may be given more than once. Default: what the run's recipe says, else exact_match, and loss.", HelpName = "NAME" };
        var maxTokens = CommonOptions.Whole("--max-tokens", "Longest answer in tokens.", atLeast: 1);
        var threads = CommonOptions.Threads();
        var verb = new Verb(
            "export",
            "Write a model, an adapter merged into its base, as a GGUF file or a Hugging Face folder, and run held-out examples on it.",
            "apprentice export runs/tickets --format gguf --quant Q8_0 --out tickets.gguf --data tickets-test.jsonl")
        {
            model, format, quant, outPath, data, metric, maxTokens, threads,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var asked = FormatOf(parsed.GetValue(format)!);
            var request = new ExportRequest(
                parsed.GetRequiredValue(model), asked, TypeOf(parsed.GetValue(quant), asked), parsed.GetRequiredValue(outPath)!,
                parsed.GetValue(data) ?? [], parsed.GetValue(metric) ?? [], parsed.GetValue(maxTokens), parsed.GetValue(threads));
            var notes = new List<string>();
            var summary = await terminal.Progress.Progress().AutoClear(true).StartAsync(context =>
            {
                var task = context.AddTask("exporting", maxValue: 1);
                return export(request, notes.Add, new ShareDone(task), cancel);
            });
            notes.ForEach(note => terminal.Error.WriteLine($"note: {note}"));
            Print(terminal, summary);
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>In the order of <see cref="ExportFormat"/>.</summary>
    private static readonly string[] Formats = ["gguf", "safetensors", "peft", GgufAdapter];

    private static void Print(Terminal terminal, ExportSummary summary)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(summary);
            return;
        }

        terminal.Output.WriteLine($"{summary.Out}: {Format.Count(summary.Parameters)} parameters, matrices as {summary.Quant}, {Format.Bytes(summary.Bytes)}");
        if (summary.HeldOut is not { } check)
        {
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn($"{check.Examples} examples");
        foreach (var title in new[] { "before", "as written", "difference", "95% interval" })
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        foreach (var (name, m) in check.Metrics)
        {
            table.AddRow(
                Markup.Escape(name), Format.Text($"{m.Model.Value:0.0000}"), Format.Text($"{m.Artifact.Value:0.0000}"),
                Format.Text($"{m.Difference.Value:+0.0000;-0.0000;0}"), Format.Text($"{m.Difference.Low:+0.0000;-0.0000;0} to {m.Difference.High:+0.0000;-0.0000;0}"));
        }

        terminal.Results.Write(table);
    }

    private static ExportFormat FormatOf(string text) => (ExportFormat)Array.IndexOf(Formats, Chosen("--format", text, Formats));

    private static StorageType TypeOf(string? text, ExportFormat format)
    {
        if (format is ExportFormat.Peft or ExportFormat.GgufAdapter)
        {
            return text is null ? StorageType.F32 : throw new InputException("bad_option", "--quant is for a model; an adapter is written as F32", hint: "leave it out");
        }

        var folder = format == ExportFormat.Safetensors;
        return Enum.Parse<StorageType>(Chosen(
            "--quant", text ?? (folder ? nameof(StorageType.F32) : nameof(StorageType.F16)), [.. (folder ? FolderExport.TypeNames.Keys : GgufExport.FileTypes.Keys).Select(t => t.ToString())],
            folder ? ", all that a Hugging Face folder holds" : ""));
    }

    private static string Chosen(string option, string text, string[] names, string why = "") =>
        names.FirstOrDefault(n => string.Equals(n, text, StringComparison.OrdinalIgnoreCase))
            ?? throw new InputException("bad_option", $"{option} is '{text}'; it must be {string.Join(" | ", names)}{why}", hint: Suggestion.Nearest(text, names) is { } near ? $"did you mean {near}?" : null);
}
