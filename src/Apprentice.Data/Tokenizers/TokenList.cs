namespace Apprentice.Data.Tokenizers;

/// <summary>Tokens of a text while they are collected.</summary>
internal sealed class TokenList(int capacity)
{
    public List<int> Ids { get; } = new(capacity);
    public List<(int Start, int End)> Offsets { get; } = new(capacity);

    /// <summary>Tokens that are shown as another text than the vocabulary's, by their place.</summary>
    public Dictionary<int, string>? Shown { get; private set; }

    public void Add(int id, (int Start, int End) offsets)
    {
        Ids.Add(id);
        Offsets.Add(offsets);
    }

    /// <summary>An added token; it is shown as it was found, with white space that it took.</summary>
    public void Add(AddedToken token, Piece piece)
    {
        if (!piece.Span.SequenceEqual(token.Content))
        {
            (Shown ??= [])[Ids.Count] = piece.ToString();
        }

        Add(token.Id, piece.OriginalRange);
    }

    /// <param name="piece">A piece.</param>
    /// <param name="word">Its tokens.</param>
    /// <param name="shownAsText">See <see cref="TokenModel.ShownAsText"/>.</param>
    public void Add(Piece piece, Word word, int? shownAsText)
    {
        var (ids, characters) = word;
        for (var i = 0; i < ids.Length; i++)
        {
            var (first, last) = characters[i];
            if (ids[i] == shownAsText)
            {
                (Shown ??= [])[Ids.Count] = piece.Span[first..(last + Utf16.Length(piece.Span, last))].ToString();
            }

            Ids.Add(ids[i]);
            Offsets.Add((piece.Source.OriginalStart(piece.Start + first), piece.Source.OriginalEnd(piece.Start + last)));
        }
    }

    public void Surround(int[] before, int[] after)
    {
        Ids.InsertRange(0, before);
        Ids.AddRange(after);
        Offsets.InsertRange(0, new (int, int)[before.Length]);
        Offsets.AddRange(new (int, int)[after.Length]);
        Shown = Shown?.ToDictionary(w => w.Key + before.Length, w => w.Value);
    }

    public Encoding ToEncoding() => new([.. Ids], [.. Offsets]) { Shown = Shown };
}
