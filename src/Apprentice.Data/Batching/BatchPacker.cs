namespace Apprentice.Data.Batching;

/// <summary>Lays examples out in one row of tokens: block-diagonally, or as a tree of their common beginnings.</summary>
internal sealed class BatchPacker
{
    /// <summary>A shorter common beginning is repeated: another segment to walk would cost what it saves.</summary>
    private const int ShortestShared = 8;

    private readonly IReadOnlyList<TokenizedExample> _examples;
    private readonly List<Segment> _segments = [];
    private readonly int[] _ids;
    private readonly int[] _positions;
    private readonly int[][] _rows; // of each example, where each of its tokens lies
    private int _count;

    public BatchPacker(IReadOnlyList<TokenizedExample> examples)
    {
        _examples = examples;
        var tokens = examples.Sum(example => example.Ids.Length);
        _ids = new int[tokens];
        _positions = new int[tokens];
        _rows = [.. examples.Select(example => new int[example.Ids.Length])];
    }

    public Batch Pack(bool sharePrefixes)
    {
        if (sharePrefixes)
        {
            AddTree(Enumerable.Range(0, _examples.Count), 0, parent: -1);
        }
        else
        {
            for (var e = 0; e < _examples.Count; e++)
            {
                AddSegment([e], 0, _examples[e].Ids.Length, parent: -1);
            }
        }

        var (ids, positions) = _count == _ids.Length ? (_ids, _positions) : (_ids[.._count], _positions[.._count]);
        return new Batch(ids, positions, [.. _segments], Targets()) { ExampleTokens = _ids.Length };
    }

    /// <summary>What follows token <paramref name="from"/> in examples that are alike up to it, in the order of the examples.</summary>
    private void AddTree(IEnumerable<int> examples, int from, int parent)
    {
        foreach (var alike in examples.GroupBy(e => e, new SameBeginning(_examples, from)))
        {
            int[] members = [.. alike];
            var length = CommonLength(members, from);
            var segment = AddSegment(members, from, length, parent);
            AddTree(members.Where(e => _examples[e].Ids.Length > from + length), from + length, segment);
        }
    }

    private int CommonLength(int[] members, int from)
    {
        var first = _examples[members[0]].Ids.AsSpan(from);
        var length = first.Length;
        foreach (var e in members.AsSpan(1))
        {
            length = first[..length].CommonPrefixLength(_examples[e].Ids.AsSpan(from));
        }

        return length;
    }

    private int AddSegment(ReadOnlySpan<int> members, int from, int length, int parent)
    {
        _segments.Add(new Segment(_count, length, parent));
        _examples[members[0]].Ids.AsSpan(from, length).CopyTo(_ids.AsSpan(_count));
        for (var i = 0; i < length; i++)
        {
            _positions[_count + i] = from + i;
            foreach (var e in members)
            {
                _rows[e][from + i] = _count + i;
            }
        }

        _count += length;
        return _segments.Count - 1;
    }

    private Target[] Targets()
    {
        var targets = new Target[_examples.Sum(example => example.Supervised)];
        var count = 0;
        for (var e = 0; e < _examples.Count; e++)
        {
            var (tokens, weights) = (_examples[e].Ids, _examples[e].Weights);
            for (var i = 1; i < tokens.Length; i++)
            {
                if (weights[i] != 0)
                {
                    targets[count++] = new Target(_rows[e][i - 1], tokens[i], weights[i], e);
                }
            }
        }

        return targets;
    }

    /// <summary>Examples whose next tokens are the same, as many as are worth sharing.</summary>
    private sealed class SameBeginning(IReadOnlyList<TokenizedExample> examples, int from) : IEqualityComparer<int>
    {
        public bool Equals(int x, int y) => x == y || (Next(x).Length == ShortestShared && Next(x).SequenceEqual(Next(y)));

        public int GetHashCode(int example)
        {
            var hash = default(HashCode);
            foreach (var id in Next(example))
            {
                hash.Add(id);
            }

            return hash.ToHashCode();
        }

        private ReadOnlySpan<int> Next(int example)
        {
            var rest = examples[example].Ids.AsSpan(from);
            return rest[..Math.Min(ShortestShared, rest.Length)];
        }
    }
}
