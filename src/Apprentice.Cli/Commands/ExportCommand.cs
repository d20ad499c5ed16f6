using System.CommandLine;
using Apprentice.Data;
using Apprentice.Models.Export;
using Apprentice.Tensors;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>export</c> is asked to do.</summary>
/// <param name="Model">A model reference.</param>
/// <param name="Type">Of the matrices.</param>
/// <param name="Out">The file to write.</param>
/// <param name="Format">One of the formats.</param>
internal sealed record ExportRequest(string Model, StorageType Type, string Out, string Format);

/// <summary>The JSON of <c>export</c>.</summary>
internal sealed record ExportSummary(string Out, string Format, string Quant, long Bytes, long Parameters);

/// <summary><c>export</c>: a model as one file that other programs read.</summary>
internal static class ExportCommand
{
    public const string GgufAdapter = "gguf-adapter";
    private const string Gguf = "gguf";

    public delegate Task<ExportSummary> Work(ExportRequest request, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work export)
    {
        var model = new Argument<string>("MODEL") { Description = "A .gguf file, a Hugging Face folder or a run folder." };
        var format = new Option<string>("--format") { Description = "What to write: a whole model, or an adapter as llama.cpp puts it on its base. Default: gguf.", HelpName = $"{Gguf}|{GgufAdapter}", DefaultValueFactory = _ => Gguf };
        var quant = new Option<string>("--quant")
        {
            Description = "How the matrices are stored. Default: F16.",
            HelpName = string.Join('|', GgufExport.FileTypes.Keys),
            DefaultValueFactory = _ => nameof(StorageType.F16),
        };
        var outFile = CommonOptions.File("--out", "The file to write.");
        outFile.Required = true;
        var verb = new Verb(
            "export",
            "Write a model as a GGUF file, tokenizer and chat template inside.",
            "apprentice export runs/tickets --format gguf --quant Q8_0 --out tickets.gguf")
        {
            model, format, quant, outFile,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var given = parsed.GetValue(format)!;
            if (given is not (Gguf or GgufAdapter))
            {
                throw new InputException("bad_option", $"--format is '{given}'; it must be {Gguf} or {GgufAdapter}");
            }

            var file = parsed.GetRequiredValue(outFile)!;
            Commands.Work.RequireWritable(file);
            var summary = await export(new ExportRequest(parsed.GetRequiredValue(model), TypeOf(parsed.GetValue(quant)!), file, given), cancel);
            if (terminal.Json)
            {
                terminal.WriteJson(summary);
            }
            else
            {
                terminal.Output.WriteLine($"{summary.Out}: {Format.Count(summary.Parameters)} parameters, matrices as {summary.Quant}, {Format.Bytes(summary.Bytes)}");
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static StorageType TypeOf(string text)
    {
        var names = GgufExport.FileTypes.Keys.Select(t => t.ToString()).ToArray();
        var name = names.FirstOrDefault(n => string.Equals(n, text, StringComparison.OrdinalIgnoreCase))
            ?? throw new InputException("bad_option", $"--quant is '{text}'; it must be {string.Join(" | ", names)}", hint: Suggestion.Nearest(text, names) is { } near ? $"did you mean {near}?" : null);
        return Enum.Parse<StorageType>(name);
    }
}
