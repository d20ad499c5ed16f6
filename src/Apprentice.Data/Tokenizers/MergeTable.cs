namespace Apprentice.Data.Tokenizers;

/// <summary>Collects the merges of a BPE model in their order.</summary>
internal sealed class MergeTable(Dictionary<string, int> vocabulary, int capacity)
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
    private int _rank;

    /// <summary>For two neighbouring ids the place in the list and the id that they become. A repeated pair counts at its last place.</summary>
    public Dictionary<(int Left, int Right), (int Rank, int Id)> Merges { get; } = new(capacity);

    /// <summary>Adds the next merge; false where one of the tokens or what they become is not in the vocabulary.</summary>
    public bool Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (!_ids.TryGetValue(left, out var leftId) || !_ids.TryGetValue(right, out var rightId) || !_ids.TryGetValue(string.Concat(left, right), out var id))
        {
            return false;
        }

        Merges[(leftId, rightId)] = (_rank++, id);
        return true;
    }
}
