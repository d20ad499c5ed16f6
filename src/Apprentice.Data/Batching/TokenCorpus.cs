using System.Runtime.InteropServices;

namespace Apprentice.Data.Batching;

/// <summary>
/// The tokens of many documents, one after the other in one array: a corpus of tens of millions of tokens has no room for
/// an object a document.
/// </summary>
public sealed class TokenCorpus
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _ends = [];

    /// <summary>Documents, none of them empty.</summary>
    public int Documents => _ends.Count;

    /// <summary>Tokens of all documents together.</summary>
    public long Tokens => _tokens.Count;

    /// <summary>UTF-8 bytes of the text that they stand for, special tokens not counted.</summary>
    public long Bytes { get; private set; }

    /// <summary>The tokens of a document.</summary>
    public ReadOnlySpan<int> Document(int index)
    {
        var start = index == 0 ? 0 : _ends[index - 1];
        return Span(start, _ends[index] - start);
    }

    /// <summary>Puts the documents of a block behind those that are there.</summary>
    /// <exception cref="InputException">There are more tokens than one array holds.</exception>
    internal void Add(EncodedDocuments block, string file)
    {
        if (_tokens.Count + (long)block.Tokens.Count > Array.MaxLength)
        {
            throw new InputException("too_large", $"the corpus has more than {Array.MaxLength:N0} tokens, which is the most that is held", file, hint: "leave files out, or train in several runs");
        }

        var start = _tokens.Count;
        _tokens.AddRange(block.Tokens);
        foreach (var end in block.Ends)
        {
            _ends.Add(start + end);
        }

        Bytes += block.Bytes;
    }

    /// <summary>Pieces of at most <paramref name="maxLength"/> tokens, in the order of the corpus, as places in the array.</summary>
    internal (int[] Starts, int[] Lengths) Cut(int maxLength)
    {
        var (starts, lengths) = (new List<int>(_ends.Count), new List<int>(_ends.Count));
        var start = 0;
        foreach (var end in _ends)
        {
            // Pieces of about one length, not a last one of a few tokens. Each but the first begins with the last token of
            // the piece before, so that every token but a document's first is predicted exactly once.
            var count = Math.Max(1, (end - start - 1 + maxLength - 2) / (maxLength - 1));
            for (var piece = 0; piece < count; piece++)
            {
                var from = start + (int)((long)(end - start - 1) * piece / count);
                var to = start + (int)((long)(end - start - 1) * (piece + 1) / count);
                if (to > from)
                {
                    starts.Add(from);
                    lengths.Add(to - from + 1);
                }
            }

            start = end;
        }

        return ([.. starts], [.. lengths]);
    }

    internal ReadOnlySpan<int> Span(int start, int length) => CollectionsMarshal.AsSpan(_tokens).Slice(start, length);
}

/// <summary>Some documents as they come from the encoder.</summary>
internal sealed class EncodedDocuments
{
    public List<int> Tokens { get; } = [];

    /// <summary>Where each document ends in <see cref="Tokens"/>.</summary>
    public List<int> Ends { get; } = [];

    public long Bytes { get; set; }
}
