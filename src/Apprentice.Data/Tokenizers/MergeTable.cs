namespace Apprentice.Data.Tokenizers;

/// <summary>The merges of a BPE model in their order.</summary>
/// <param name="vocabulary">Token to id.</param>
/// <param name="capacity">How many are expected.</param>
/// <param name="prefixLength">The length of what begins every token that is not first in its word (continuing_subword_prefix); it falls away in a merge.</param>
internal sealed class MergeTable(Dictionary<string, int> vocabulary, int capacity, int prefixLength = 0)
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges = new(capacity);
    private int _rank;

    /// <summary>For two neighbouring ids the place in the list and the id that they become. A repeated pair counts at its last place.</summary>
    public IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> Merges => _merges;

    /// <summary>Adds the next merge; false where one of the tokens or what they become is not in the vocabulary.</summary>
    public bool Add(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (!_ids.TryGetValue(left, out var leftId) || !_ids.TryGetValue(right, out var rightId)
            || right.Length < prefixLength || !_ids.TryGetValue(string.Concat(left, right[prefixLength..]), out var id))
        {
            return false;
        }

        _merges[(leftId, rightId)] = (_rank++, id);
        return true;
    }

    public bool Find(int left, int right, out int rank, out int id)
    {
        var found = _merges.TryGetValue((left, right), out var merge);
        (rank, id) = merge;
        return found;
    }
}
