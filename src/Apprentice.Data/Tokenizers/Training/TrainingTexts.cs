using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>The texts that a tokenizer learns from, file by file.</summary>
internal sealed class TrainingTexts(IReadOnlyList<string> files, TokenizerTrainingOptions options, Action<double> read)
{
    private const int ExamplesBetweenReports = 1000;

    private readonly Dictionary<string, string?> _specialTokens = new()
    {
        ["bos_token"] = options.BosToken, ["eos_token"] = options.EosToken, ["pad_token"] = options.PaddingToken,
    };

    /// <summary>The examples of all files, in their order, each file up to its share of the bytes.</summary>
    /// <exception cref="InputException">A file cannot be read, or has a mistake.</exception>
    public IEnumerable<Example> Read()
    {
        var sizes = files.Select(file => File.Exists(file) ? new FileInfo(file).Length : throw MissingFile.Error(file)).ToList();
        var total = Math.Max(1.0, sizes.Sum());
        for (var (i, before) = (0, 0L); i < files.Count; before += sizes[i++])
        {
            var left = options.MaxBytes is { } max ? Math.Ceiling(max * (sizes[i] / total)) : double.PositiveInfinity;
            var (done, seen) = (0L, 0);
            foreach (var (example, share) in ReadFile(files[i]))
            {
                if (left <= 0)
                {
                    break;
                }

                left -= BytesOf(example);
                done = (long)(share * sizes[i]);
                if (seen++ % ExamplesBetweenReports == 0)
                {
                    read((before + done) / total);
                }

                yield return example;
            }
        }

        read(1);
    }

    /// <summary>UTF-8 bytes of what is said in an example.</summary>
    public static long BytesOf(Example example) =>
        example.Text is { } text ? System.Text.Encoding.UTF8.GetByteCount(text) : Contents(example).Sum(content => (long)System.Text.Encoding.UTF8.GetByteCount(content));

    /// <summary>What is to be learned from in an example.</summary>
    /// <exception cref="InputException">The chat template refuses the example.</exception>
    public IEnumerable<string> TextsOf(Example example) =>
        example.Text is { } text ? [text] : options.Template is { } template ? [Rendered(template, example)] : Contents(example);

    private static IEnumerable<(Example Example, double Share)> ReadFile(string file)
    {
        if (Path.GetExtension(file).Equals(".txt", StringComparison.OrdinalIgnoreCase))
        {
            return PlainTextFile.Blocks(file).Select(block => (new Example { File = file, Line = block.Line, Text = block.Text }, block.Share));
        }

        var examples = DatasetReader.Read(file).Examples;
        return examples.Select((example, i) => (example, (double)i / examples.Count));
    }

    private static IEnumerable<string> Contents(Example example) =>
        example.Messages.Select(m => m["content"]).OfType<JsonValue>().Select(c => c.TryGetValue<string>(out var text) ? text : "");

    private string Rendered(ChatTemplate template, Example example)
    {
        try
        {
            return template.RenderText(example.Messages, new ChatTemplateOptions { Tools = example.Tools, SpecialTokens = _specialTokens });
        }
        catch (InputException e)
        {
            throw new InputException(e.Code, $"line {example.Line}: the chat template cannot write this example: {e.Message}", example.File, example.Line, e.Hint);
        }
    }
}
