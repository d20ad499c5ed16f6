using System.Runtime.ExceptionServices;
using System.Text;
using Apprentice.Data.Datasets;

namespace Apprentice.Data.Batching;

/// <summary>
/// Turns the documents of pretraining into tokens, all of which are learned: plain text with what the tokenizer puts before a
/// text, conversations and prompt/completion pairs as the chat template writes them; each ends with the end token.
/// </summary>
/// <param name="encode">The tokenizer.</param>
/// <param name="render">The chat template, or null to join prompt and completion as they stand.</param>
/// <param name="isSpecial">Whether a token is special, and so no part of the text.</param>
/// <param name="textOf">The text of a special token.</param>
/// <param name="end">Id of the token that ends every document.</param>
public sealed class CorpusEncoder(Encode encode, Render? render, Func<int, bool> isSpecial, Func<int, string> textOf, int end)
{
    /// <summary>Records that one thread works on at a time.</summary>
    private const int BlockRecords = 256;

    private readonly int[] _beginning = ExampleEncoder.BeginningOf(encode);

    /// <summary>All documents of some files, in their order, whatever the number of threads.</summary>
    /// <param name="files">JSONL or JSON arrays; every record shows its own format unless one is stated.</param>
    /// <param name="threads">Threads to work with; 0: all cores.</param>
    /// <param name="progress">Is told the share done, 0 to 1.</param>
    /// <exception cref="InputException">The first record that is not sound.</exception>
    public TokenCorpus Encode(
        IReadOnlyList<string> files, DatasetFormat? format = null, IReadOnlyDictionary<string, string>? columns = null,
        int threads = 0, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var corpus = new TokenCorpus();
        for (var f = 0; f < files.Count; f++)
        {
            var (file, before) = (files[f], corpus.Documents);
            var records = DatasetReader.OpenRecords(file, format, columns, out var bytes);
            var blocks = records.Chunk(BlockRecords).AsParallel().AsOrdered().WithCancellation(cancellation)
                .WithDegreeOfParallelism(threads > 0 ? Math.Min(threads, 512) : Environment.ProcessorCount)
                .WithMergeOptions(ParallelMergeOptions.NotBuffered)
                .Select(EncodeBlock);
            var done = 0L;
            try
            {
                foreach (var (block, length, failure) in blocks)
                {
                    // Of several mistakes that threads came upon, the first of the file is told.
                    corpus.Add(failure is null ? block : throw failure, file);
                    done += length;
                    progress?.Invoke((f + Math.Min(1.0, (double)done / Math.Max(1, bytes))) / files.Count);
                }
            }
            catch (AggregateException e) when (e.InnerExceptions.OfType<InputException>().FirstOrDefault() is { } first)
            {
                ExceptionDispatchInfo.Throw(first); // the records themselves could not be told apart
            }

            if (corpus.Documents == before)
            {
                throw new InputException("no_examples", "the file has no examples in it", file);
            }
        }

        return corpus;
    }

    private (EncodedDocuments Block, long Length, Exception? Failure) EncodeBlock(UnreadRecord<Example>[] records)
    {
        var block = new EncodedDocuments();
        var length = 0L;
        try
        {
            foreach (var record in records)
            {
                length += record.Length;
                Add(block, record.Read());
            }

            return (block, length, null);
        }
        catch (InputException e)
        {
            return (block, length, e);
        }
    }

    private void Add(EncodedDocuments block, Example example)
    {
        var (text, plain) = example switch
        {
            { Text: { } own } => (own, true),
            { Raw: { } raw } when render is null => (raw.Prompt + raw.Completion, true),
            _ when render is null => throw new InputException(
                "raw_needs_prompt_completion", $"line {example.Line}: only prompt/completion and plain text can be trained on without a chat template", example.File, example.Line),
            // The end token takes the place of a last line break.
            _ => (ExampleEncoder.Rendered(example, render).Text.TrimEnd(), false),
        };
        var ids = encode(text, addSpecialTokens: false).Ids;
        block.Tokens.AddRange(plain ? _beginning : []);
        block.Tokens.AddRange(ids);
        if (ids.Length == 0 || ids[^1] != end)
        {
            block.Tokens.Add(end);
        }

        block.Ends.Add(block.Tokens.Count);
        block.Bytes += Encoding.UTF8.GetByteCount(text) - ids.Where(isSpecial).Sum(id => Encoding.UTF8.GetByteCount(textOf(id)));
    }
}
