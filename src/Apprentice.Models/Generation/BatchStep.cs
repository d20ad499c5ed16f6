using System.Runtime.InteropServices;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Generation;

/// <summary>
/// One step of many sequences: the new token of each that is being answered, blocks of the prompts of others. A prompt is cut
/// at multiples of the block's length from its beginning and each piece sees those before it one by one, so that its keys have
/// the same bits in however many steps they were computed, and whether some were found in the cache.
/// </summary>
internal sealed class BatchStep(LanguageModel model, LoraAdapter? adapter, KeyValueBlocks blocks)
{
    private readonly List<int> _ids = [];
    private readonly List<int> _rows = [];
    private readonly List<Segment> _segments = [];
    private readonly Dictionary<BatchedSequence, (int Segment, int End)> _last = [];
    private readonly List<(BatchedSequence Sequence, int Row)> _wanted = [];
    private readonly HashSet<BlockContent> _computing = [];
    private readonly List<(KeyValueBlock Block, BlockContent Content)> _shared = []; // to be known after this step
    private readonly List<float[]> _logits = []; // used again in the next step

    /// <summary>Tokens so far.</summary>
    public int Tokens => _ids.Count;

    /// <summary>Adds the next tokens of a sequence, at most to the end of a block, and counts them as computed.</summary>
    public void Add(BatchedSequence sequence)
    {
        var first = sequence.Computed;
        var count = first < sequence.Given ? Math.Min(KeyValueBlocks.Tokens, sequence.Given - first) : 1;
        var parent = AddCached(sequence, first);
        _last[sequence] = (_segments.Count, first + count);
        _segments.Add(new Segment(_ids.Count, count, first, parent));
        var row = sequence.Blocks[first / KeyValueBlocks.Tokens].FirstRow + first % KeyValueBlocks.Tokens;
        for (var i = 0; i < count; i++)
        {
            _ids.Add(sequence.Tokens[first + i]);
            _rows.Add(row + i);
        }

        sequence.Computed += count;
        if (sequence.Computed == sequence.Tokens.Count)
        {
            _wanted.Add((sequence, _ids.Count - 1));
        }
    }

    /// <summary>The next block of a prompt: found in the cache, or added to this step.</summary>
    /// <returns>False where another sequence computes the same one in this step, so that it will be there in the next.</returns>
    public bool AddPrompt(BatchedSequence sequence)
    {
        var first = sequence.Computed;
        var end = first + KeyValueBlocks.Tokens;
        if (!sequence.Shares || end > sequence.Given)
        {
            Add(sequence);
            return true;
        }

        var tokens = CollectionsMarshal.AsSpan(sequence.Tokens)[first..end];
        var content = new BlockContent(sequence.Content, tokens, kind: sequence.Given > model.ShortContext ? 1 : 0);
        if (end < sequence.Given) // the last token is computed in any case: its logits are what is wanted
        {
            if (blocks.Find(content) is { } found)
            {
                sequence.Adopt(found, blocks);
                return true;
            }

            if (!_computing.Add(content))
            {
                return false;
            }
        }

        _shared.Add((sequence.Blocks[first / KeyValueBlocks.Tokens], content));
        sequence.Content = content;
        Add(sequence);
        return true;
    }

    /// <summary>Computes them, and forgets them for the next step.</summary>
    /// <returns>The sequences whose next token can be chosen now, each with its logits [vocabulary], which are good until the next step.</returns>
    public (BatchedSequence Sequence, float[] Logits)[] Run(Tape tape, KeyValueCache cache)
    {
        try
        {
            var hidden = model.Forward(tape, new ForwardInput([.. _ids], new Segments([.. _segments]))
            {
                Adapter = adapter,
                Cache = cache,
                CacheRows = [.. _rows],
                Wanted = [.. _wanted.Select(w => w.Row)],
            });
            var answers = Logits(tape, hidden);
            _shared.ForEach(s => blocks.Publish(s.Block, s.Content));
            return answers;
        }
        finally
        {
            tape.Reset();
            _ids.Clear();
            _rows.Clear();
            _segments.Clear();
            _last.Clear();
            _wanted.Clear();
            _computing.Clear();
            _shared.Clear();
        }
    }

    private (BatchedSequence Sequence, float[] Logits)[] Logits(Tape tape, Tensor hidden)
    {
        if (_wanted.Count == 0)
        {
            return [];
        }

        var logits = model.Logits(tape, hidden, adapter);
        for (var i = 0; i < _wanted.Count; i++)
        {
            if (i == _logits.Count)
            {
                _logits.Add(new float[logits.Columns]);
            }

            logits.CopyRowTo(i, _logits[i]);
        }

        return [.. _wanted.Select((w, i) => (w.Sequence, _logits[i]))];
    }

    /// <summary>
    /// What the cache has of a sequence before a token, block by block, after what is in this step already; the answer's tokens
    /// lie in the last block of the prompt and those after it.
    /// </summary>
    /// <returns>The segment that the token follows.</returns>
    private int AddCached(BatchedSequence sequence, int end)
    {
        var (parent, at) = _last.TryGetValue(sequence, out var last) ? last : (-1, 0);
        for (; at < end; at += KeyValueBlocks.Tokens)
        {
            var block = sequence.Blocks[at / KeyValueBlocks.Tokens];
            _segments.Add(new Segment(block.FirstRow, Math.Min(KeyValueBlocks.Tokens, end - at), at, parent, Cached: true));
            parent = _segments.Count - 1;
        }

        return parent;
    }
}
