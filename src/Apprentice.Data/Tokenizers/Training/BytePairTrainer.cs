using System.Runtime.InteropServices;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>
/// Learns the merges of byte-pair encoding (Sennrich et al. 2016) from counted words: the two neighbours that stand
/// together most often, of equals those with the lower ids, become a token, again and again. A merge touches only the
/// words that hold the pair, and only the pairs of those are counted anew.
/// </summary>
/// <remarks>
/// A token's bytes are always joined in the same way wherever they stand, since what lies outside of a token has never
/// been merged with it. So a new token never has the text of another one, and the count of a pair only falls once its two
/// tokens are there: each pair is in the queue once, with a count that is at worst too high.
/// </remarks>
internal sealed class BytePairTrainer
{
    private readonly int[][] _words; // the tokens of each word
    private readonly int[] _lengths;
    private readonly long[] _counts;
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, int Left, int Right)> _queue =
        new(Comparer<(long Count, int Left, int Right)>.Create((a, b) =>
            a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Left != b.Left ? a.Left.CompareTo(b.Left) : a.Right.CompareTo(b.Right)));

    private readonly List<(int Left, int Right)> _fresh = []; // pairs that the merge at hand has made
    private readonly HashSet<string> _special;

    /// <param name="words">Words with their counts; the order does not matter.</param>
    /// <param name="special">Take the first ids; the 256 bytes follow.</param>
    public BytePairTrainer(IReadOnlyDictionary<string, long> words, IReadOnlyList<string> special)
    {
        _special = [.. special];
        Tokens = [.. special, .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Character((byte)b).ToString())];
        _words = new int[words.Count][];
        _lengths = new int[words.Count];
        _counts = new long[words.Count];
        var at = 0;
        foreach (var (word, count) in words)
        {
            _words[at] = Array.ConvertAll(System.Text.Encoding.UTF8.GetBytes(word), b => special.Count + b);
            _lengths[at] = _words[at].Length;
            _counts[at] = count;
            ByteCount += count * _lengths[at];
            CountPairs(at++, added: 1, newToken: -1);
        }

        foreach (var (pair, seen) in _pairs)
        {
            _queue.Enqueue(pair, (seen.Count, pair.Left, pair.Right));
        }
    }

    /// <summary>Each id's text in <see cref="ByteAlphabet"/>; a special token's text as it is.</summary>
    public List<string> Tokens { get; }

    /// <summary>"left right", the first learned first.</summary>
    public List<string> Merges { get; } = [];

    /// <summary>Bytes of all words, as often as they occur.</summary>
    public long ByteCount { get; }

    /// <summary>Tokens that these are by now.</summary>
    public long TokenCount => _counts.Select((count, i) => count * _lengths[i]).Sum();

    /// <summary>Learns until there are so many tokens, or no pair occurs often enough.</summary>
    public void Learn(int vocabularySize, int minimumFrequency, Action<double> learned, CancellationToken cancel)
    {
        var toLearn = vocabularySize - Tokens.Count;
        while (Tokens.Count < vocabularySize && _queue.TryDequeue(out var pair, out var priority))
        {
            cancel.ThrowIfCancellationRequested();
            var seen = _pairs[pair];
            if (seen.Count < priority.Count)
            {
                _queue.Enqueue(pair, (seen.Count, pair.Left, pair.Right));
                continue;
            }

            if (seen.Count < minimumFrequency)
            {
                break;
            }

            var text = Tokens[pair.Left] + Tokens[pair.Right];
            if (_special.Contains(text))
            {
                continue; // a special token that is written like bytes keeps its name to itself
            }

            Merges.Add($"{Tokens[pair.Left]} {Tokens[pair.Right]}");
            Tokens.Add(text);
            Merge(pair, seen.Words);
            learned(1 - ((double)(vocabularySize - Tokens.Count) / toLearn));
        }
    }

    private void Merge((int Left, int Right) pair, List<int> words)
    {
        var token = Tokens.Count - 1;
        foreach (var word in words)
        {
            var tokens = _words[word].AsSpan(0, _lengths[word]);
            if (!Holds(tokens, pair))
            {
                continue; // another merge has taken the pair from it
            }

            CountPairs(word, added: -1, newToken: -1);
            _lengths[word] = Join(tokens, pair, token);
            CountPairs(word, added: 1, token);
        }

        _pairs.Remove(pair);
        foreach (var fresh in _fresh)
        {
            _queue.Enqueue(fresh, (_pairs[fresh].Count, fresh.Left, fresh.Right));
        }

        _fresh.Clear();
    }

    private static bool Holds(ReadOnlySpan<int> tokens, (int Left, int Right) pair)
    {
        for (var i = 1; i < tokens.Length; i++)
        {
            if (tokens[i - 1] == pair.Left && tokens[i] == pair.Right)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Puts the token in the place of the pair, from the left; returns how many tokens are left.</summary>
    private static int Join(Span<int> tokens, (int Left, int Right) pair, int token)
    {
        var kept = 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            var joins = i + 1 < tokens.Length && tokens[i] == pair.Left && tokens[i + 1] == pair.Right;
            tokens[kept++] = joins ? token : tokens[i];
            i += joins ? 1 : 0;
        }

        return kept;
    }

    /// <summary>Adds the pairs of a word to the counts, or takes them away. Pairs with the new token (-1: all) learn where they are.</summary>
    private void CountPairs(int word, int added, int newToken)
    {
        var tokens = _words[word].AsSpan(0, _lengths[word]);
        var count = added * _counts[word];
        for (var i = 1; i < tokens.Length; i++)
        {
            var pair = (tokens[i - 1], tokens[i]);
            ref var seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out var known);
            if (!known)
            {
                seen = new Pair();
                if (newToken >= 0)
                {
                    _fresh.Add(pair);
                }
            }

            seen!.Count += count;
            if (added > 0 && (newToken < 0 || pair.Item1 == newToken || pair.Item2 == newToken) && (seen.Words.Count == 0 || seen.Words[^1] != word))
            {
                seen.Words.Add(word);
            }
        }
    }

    private sealed class Pair
    {
        public long Count { get; set; }
        public List<int> Words { get; } = [];
    }
}
