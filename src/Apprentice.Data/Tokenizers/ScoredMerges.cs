namespace Apprentice.Data.Tokenizers;

/// <summary>Between a list of merges and scores of tokens: what one of them says, the other can say where their orders agree.</summary>
internal static class ScoredMerges
{
    /// <summary>All ways to cut a text into two tokens.</summary>
    public static IEnumerable<(string Left, string Right)> Splits(string text, Dictionary<string, int> ids)
    {
        for (var at = Utf16.Length(text, 0); at < text.Length; at += Utf16.Length(text, at))
        {
            if (ids.ContainsKey(text[..at]) && ids.ContainsKey(text[at..]))
            {
                yield return (text[..at], text[at..]);
            }
        }
    }

    /// <summary>
    /// For each token minus the place of its merges among those of all tokens, 0 for tokens that no merge makes; a higher one is joined
    /// first. Null where scores cannot say what the merges do; <paramref name="problem"/> says which merge is in the way.
    /// </summary>
    /// <param name="merges">The merges.</param>
    /// <param name="texts">The texts of the tokens that take part, null for others.</param>
    /// <param name="problem">What cannot be said.</param>
    public static float[]? Scores(MergeTable merges, IReadOnlyList<string?> texts, out string problem)
    {
        var scores = new float[texts.Count];
        var ids = new Dictionary<string, int>();
        for (var id = 0; id < texts.Count; id++)
        {
            if (texts[id] is { Length: > 0 } text)
            {
                ids[text] = id;
            }
        }

        var (place, last) = (0, -1);
        foreach (var (pair, merge) in merges.Merges.OrderBy(m => m.Value.Rank))
        {
            if (texts[pair.Left] is null || texts[pair.Right] is null || texts[merge.Id] is null || merge.Id == last)
            {
                continue;
            }

            if (scores[merge.Id] != 0)
            {
                problem = $"the merges that make '{texts[merge.Id]}' do not follow one another";
                return null;
            }

            scores[merge.Id] = -++place;
            last = merge.Id;
        }

        foreach (var (text, id) in ids)
        {
            foreach (var (left, right) in Splits(text, ids))
            {
                if (!merges.Find(ids[left], ids[right], out _, out _))
                {
                    problem = $"'{left}' and '{right}' have no merge, though '{text}' is a token";
                    return null;
                }
            }
        }

        problem = "";
        return scores;
    }
}
