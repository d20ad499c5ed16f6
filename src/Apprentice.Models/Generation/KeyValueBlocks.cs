using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Generation;

/// <summary>So many rows of a <see cref="KeyValueCache"/>: the keys and values of <see cref="KeyValueBlocks.Tokens"/> consecutive tokens.</summary>
/// <param name="firstRow">Its first row of the cache.</param>
internal sealed class KeyValueBlock(int firstRow)
{
    public int FirstRow => firstRow;

    /// <summary>Sequences that use it.</summary>
    public int Users { get; set; }

    /// <summary>What it holds, where others may use it, too.</summary>
    public BlockContent? Content { get; set; }

    /// <summary>Where it stands among those that nobody uses, or null.</summary>
    public LinkedListNode<KeyValueBlock>? Idle { get; set; }
}

/// <summary>
/// Which tokens a block holds, and after which: two sequences with the same content in a block have begun with the same tokens.
/// </summary>
internal sealed class BlockContent : IEquatable<BlockContent>
{
    private readonly int[] _tokens;
    private readonly int _hash;

    /// <param name="before">The content of the block before; null at the beginning.</param>
    /// <param name="tokens"><see cref="KeyValueBlocks.Tokens"/> ids.</param>
    /// <param name="kind">Sequences of different kinds have different keys for the same tokens.</param>
    public BlockContent(BlockContent? before, ReadOnlySpan<int> tokens, int kind)
    {
        (Before, Kind, _tokens) = (before, kind, tokens.ToArray());
        var hash = new HashCode();
        hash.Add(before?._hash ?? kind);
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(tokens));
        _hash = hash.ToHashCode();
    }

    private BlockContent? Before { get; }

    private int Kind { get; }

    /// <summary>Compares all tokens from the beginning: a hash that strangers can choose collisions for proves nothing.</summary>
    public bool Equals(BlockContent? other)
    {
        for (var (a, b) = (this, other); !ReferenceEquals(a, b); (a, b) = (a.Before, b.Before))
        {
            if (a is null || b is null || a._hash != b._hash || a.Kind != b.Kind || !a._tokens.AsSpan().SequenceEqual(b._tokens))
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as BlockContent);

    public override int GetHashCode() => _hash;
}

/// <summary>
/// A key-value cache in blocks that sequences take and give back (Kwon et al. 2023, PagedAttention). A whole block of a prompt
/// stays known by its tokens and all before them, so that the next prompt that begins alike finds it; those that nobody uses go
/// when there is need of room, the longest unused first. Knows nothing of models.
/// </summary>
internal sealed class KeyValueBlocks
{
    /// <summary>Tokens of a block: as many as attention works on together.</summary>
    public const int Tokens = Segments.BlockRows;

    private readonly Stack<KeyValueBlock> _empty;
    private readonly LinkedList<KeyValueBlock> _idle = []; // nobody's, yet known by their content; the longest unused first
    private readonly Dictionary<BlockContent, KeyValueBlock> _known = [];

    /// <param name="count">Blocks in all.</param>
    public KeyValueBlocks(int count)
    {
        Count = count;
        _empty = new(Enumerable.Range(0, count).Reverse().Select(i => new KeyValueBlock(i * Tokens)));
    }

    public int Count { get; }

    /// <summary>Blocks that could be taken now.</summary>
    public int Free => _empty.Count + _idle.Count;

    /// <summary>Blocks that hold something.</summary>
    public int Held => Count - _empty.Count;

    /// <summary>How many blocks so many tokens take.</summary>
    public static int For(int tokens) => (tokens + Tokens - 1) / Tokens;

    /// <summary>A block for one sequence to write. There must be a free one.</summary>
    public KeyValueBlock Take()
    {
        if (!_empty.TryPop(out var block))
        {
            block = _idle.First!.Value;
            Forget(block);
        }

        block.Users = 1;
        return block;
    }

    /// <summary>The block with this content, for one more user, or null.</summary>
    public KeyValueBlock? Find(BlockContent content)
    {
        if (!_known.TryGetValue(content, out var block))
        {
            return null;
        }

        if (block.Idle is { } idle)
        {
            _idle.Remove(idle);
            block.Idle = null;
        }

        block.Users++;
        return block;
    }

    /// <summary>Says what a block holds from now on. It is not written again.</summary>
    public void Publish(KeyValueBlock block, BlockContent content)
    {
        if (_known.TryAdd(content, block))
        {
            block.Content = content;
        }
    }

    /// <summary>One user less.</summary>
    public void Release(KeyValueBlock block)
    {
        if (--block.Users > 0)
        {
            return;
        }

        if (block.Content is null)
        {
            _empty.Push(block);
        }
        else
        {
            block.Idle = _idle.AddLast(block);
        }
    }

    private void Forget(KeyValueBlock block)
    {
        _idle.Remove(block.Idle!);
        _known.Remove(block.Content!);
        (block.Idle, block.Content) = (null, null);
    }
}
