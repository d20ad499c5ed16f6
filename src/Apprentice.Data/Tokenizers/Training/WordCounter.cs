using System.Runtime.InteropServices;
using Apprentice.Data.Datasets;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>
/// Counts the words of texts, as a tokenizer cuts them, on several threads. Texts go to the threads in batches that depend
/// on the texts only, and come back in their order, so the counts do not depend on the threads.
/// </summary>
/// <param name="steps">Cut a text into words.</param>
/// <param name="specials">Special tokens, which are cut out and not counted.</param>
/// <param name="threads">At least 1.</param>
/// <param name="maxWords">When there are more different words than this, the rarest half goes.</param>
internal sealed class WordCounter(IReadOnlyList<PreTokenizer> steps, AddedTokenFinder specials, int threads, int maxWords = WordCounter.MaxWords)
{
    internal const int MaxWords = 2_000_000;

    /// <summary>Characters. A longer word (a line of dashes, a language without spaces) is learned from in parts, which bounds the work.</summary>
    internal const int MaxWordLength = 64;

    private const int BatchBytes = 1 << 21;

    /// <summary>Words with how often they occur, in no order that means anything.</summary>
    public Dictionary<string, long> Words { get; } = [];

    /// <param name="examples">Read on the caller's thread while others count.</param>
    /// <param name="bytesOf">Size of an example.</param>
    /// <param name="textsOf">Its texts; called on any thread.</param>
    /// <param name="cancel">Ends it.</param>
    public void Count(IEnumerable<Example> examples, Func<Example, long> bytesOf, Func<Example, IEnumerable<string>> textsOf, CancellationToken cancel)
    {
        var running = new Queue<Task<Dictionary<string, long>>>();
        var (batch, bytes) = (new List<Example>(), 0L);
        foreach (var example in examples)
        {
            cancel.ThrowIfCancellationRequested();
            batch.Add(example);
            if ((bytes += bytesOf(example)) >= BatchBytes)
            {
                Start(batch);
                (batch, bytes) = ([], 0);
            }
        }

        Start(batch);
        while (running.TryDequeue(out var counted))
        {
            Add(counted.GetAwaiter().GetResult());
        }

        void Start(List<Example> examples)
        {
            if (running.Count == threads)
            {
                Add(running.Dequeue().GetAwaiter().GetResult());
            }

            running.Enqueue(Task.Run(() => CountWords(examples.SelectMany(textsOf)), cancel));
        }
    }

    private Dictionary<string, long> CountWords(IEnumerable<string> texts)
    {
        var words = new Dictionary<string, long>();
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        var cuts = new List<(Piece Piece, AddedToken? Token)>();
        foreach (var text in texts)
        {
            cuts.Clear();
            specials.Cut(new NormalizedText(Utf16.Repair(text)).Whole, specialAsText: false, cuts);
            foreach (var (stretch, token) in cuts)
            {
                if (token is not null)
                {
                    continue;
                }

                foreach (var piece in PreTokenizer.Run(steps, stretch))
                {
                    for (var rest = piece.Span; rest.Length > 0;)
                    {
                        var part = rest[..PartLength(rest)];
                        CollectionsMarshal.GetValueRefOrAddDefault(lookup, part, out _)++;
                        rest = rest[part.Length..];
                    }
                }
            }
        }

        return words;
    }

    private static int PartLength(ReadOnlySpan<char> word) =>
        word.Length <= MaxWordLength ? word.Length : MaxWordLength - (char.IsHighSurrogate(word[MaxWordLength - 1]) ? 1 : 0);

    private void Add(Dictionary<string, long> counted)
    {
        foreach (var (word, count) in counted)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(Words, word, out _) += count;
        }

        if (Words.Count > maxWords)
        {
            foreach (var (word, _) in Words.OrderByDescending(w => w.Value).ThenBy(w => w.Key, StringComparer.Ordinal).Skip(maxWords / 2).ToList())
            {
                Words.Remove(word);
            }
        }
    }
}
