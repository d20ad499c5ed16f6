using System.CommandLine;
using Apprentice.Data.Tokenizers.Training;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>tokenizer train</c> is asked to do.</summary>
/// <param name="Data">JSONL or .txt files.</param>
/// <param name="Out">Folder to write; not there yet, or empty.</param>
/// <param name="TemplateFile">A chat template, or null.</param>
/// <param name="Options">All but the template.</param>
internal sealed record TokenizerTrainRequest(IReadOnlyList<string> Data, string Out, string? TemplateFile, TokenizerTrainingOptions Options);

/// <summary>The JSON of <c>tokenizer train</c>. Bytes and tokens are those of the text learned from, special tokens aside.</summary>
internal sealed record TokenizerTrainSummary(string Out, int VocabularySize, int Merges, long BytesRead, long Words, long Tokens, double BytesPerToken, double DurationSeconds);

/// <summary><c>tokenizer train</c>: a byte-level BPE tokenizer from text, as the tokenizer's part of a Hugging Face folder.</summary>
internal static class TokenizerTrainCommand
{
    /// <summary>Trains and writes the folder.</summary>
    public delegate Task<TokenizerTrainSummary> Work(TokenizerTrainRequest request, IProgress<TokenizerTrainingProgress> progress, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work train)
    {
        var data = Many("--data", "Text to learn from: JSONL in any format that training reads, or .txt; one or more files.", "FILE");
        data.Required = true;
        var outFolder = new Option<string>("--out") { Description = "Folder to write tokenizer.json and tokenizer_config.json into; made, unless it is there and empty.", HelpName = "DIR", Required = true };
        var size = CommonOptions.Whole("--vocab-size", "Tokens in all: the special ones, 256 bytes, and the rest learned. Default: 4096.");
        var special = Many("--special", "Special tokens, from id 0 on. Default: <|endoftext|> <|im_start|> <|im_end|>.", "TOKEN");
        var bos = Role("--bos", "The special token that begins a text. Default: <|endoftext|> where it is special, else none.");
        var eos = Role("--eos", "The special token that ends a turn or a text. Default: <|im_end|> or else <|endoftext|>, where it is special.");
        var pad = Role("--pad", "The special token for padding. Default: as --bos.");
        var template = CommonOptions.File("--chat-template", "A chat template (Jinja): goes into the folder, and conversations are learned from as it writes them.");
        var frequency = CommonOptions.Whole("--min-frequency", "Neighbours become a token only if they occur together so often. Default: 2.");
        var bytes = CommonOptions.Whole("--max-bytes", "Bytes of text to learn from, about; each file gives its share, from its beginning. Default: all.");
        var threads = CommonOptions.Threads();
        var verb = new Verb(
            "train",
            "Train a byte-level BPE tokenizer from text.",
            "apprentice tokenizer train --data texts.jsonl --vocab-size 4096 --chat-template chat_template.jinja --out my-tokenizer")
        {
            data, outFolder, size, special, bos, eos, pad, template, frequency, bytes, threads,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var defaults = new TokenizerTrainingOptions();
            var request = new TokenizerTrainRequest(
                parsed.GetRequiredValue(data),
                parsed.GetRequiredValue(outFolder),
                parsed.GetValue(template),
                new TokenizerTrainingOptions
                {
                    VocabularySize = parsed.GetValue(size) ?? defaults.VocabularySize,
                    SpecialTokens = parsed.GetValue(special) is { Length: > 0 } given ? given : defaults.SpecialTokens,
                    Bos = parsed.GetValue(bos),
                    Eos = parsed.GetValue(eos),
                    Padding = parsed.GetValue(pad),
                    MinimumFrequency = parsed.GetValue(frequency) ?? defaults.MinimumFrequency,
                    MaxBytes = parsed.GetValue(bytes),
                    Threads = parsed.GetValue(threads),
                });
            var summary = await terminal.Progress.Progress().AutoClear(true).StartAsync(context =>
                train(request, new Shares(context.AddTask("reading", maxValue: 1), context.AddTask("learning", maxValue: 1)), cancel));
            Print(terminal, request, summary);
            return ExitCode.Done;
        });
        return verb;
    }

    private static Option<string[]> Many(string name, string description, string what) =>
        new(name) { Description = description, HelpName = what, AllowMultipleArgumentsPerToken = true };

    private static Option<string?> Role(string name, string description) => new(name) { Description = description, HelpName = "TOKEN" };

    private static void Print(Terminal terminal, TokenizerTrainRequest request, TokenizerTrainSummary summary)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(summary);
            return;
        }

        terminal.Output.WriteLine(Format.Text(
            $"{Format.Count(summary.VocabularySize)} tokens from {Format.Bytes(summary.BytesRead)} of text ({Format.Count(summary.Words)} different words) in {Format.Duration(TimeSpan.FromSeconds(summary.DurationSeconds))}; {summary.BytesPerToken:0.00} bytes a token on it"));
        if (summary.VocabularySize < request.Options.VocabularySize)
        {
            terminal.Output.WriteLine($"fewer than the {Format.Count(request.Options.VocabularySize)} asked for: the text has no more neighbours that occur {Format.Count(request.Options.MinimumFrequency)} times");
        }

        terminal.Output.WriteLine($"in {summary.Out}; see it: apprentice tokenize --model {summary.Out} --text \"…\"");
    }

    private sealed class Shares(ProgressTask reading, ProgressTask learning) : IProgress<TokenizerTrainingProgress>
    {
        public void Report(TokenizerTrainingProgress value) => (reading.Value, learning.Value) = (value.Read, value.Learned);
    }
}
