namespace Apprentice.Data.Tokenizers;

/// <summary>A word as tokens. Not to be changed.</summary>
/// <param name="Ids">The token ids.</param>
/// <param name="Characters">For each token the first and the last character of the word that it stands for, as UTF-16 indices of where they begin.</param>
internal sealed record Word(int[] Ids, (int First, int Last)[] Characters)
{
    /// <summary>
    /// Finds the characters of tokens whose widths are known in UTF-8 of the text, or of its bytes as <see cref="ByteAlphabet"/>
    /// writes them. The reference counts so, which shows where something has no token, is dropped and all after it moves forward.
    /// </summary>
    public static Word FromWidths(ReadOnlySpan<char> text, ReadOnlySpan<int> ids, ReadOnlySpan<int> widths, bool inAlphabet)
    {
        var characters = new (int First, int Last)[ids.Length];
        var (at, before, done) = (0, 0, 0); // the character at hand, the width before it, the width of the tokens so far
        for (var i = 0; i < ids.Length; i++)
        {
            Seek(text, done, ref at, ref before, inAlphabet);
            var first = at;
            done += widths[i];
            Seek(text, done - 1, ref at, ref before, inAlphabet);
            characters[i] = (first, at);
        }

        return new Word(ids.ToArray(), characters);
    }

    /// <summary>Moves on to the character that holds <paramref name="target"/>.</summary>
    private static void Seek(ReadOnlySpan<char> text, int target, ref int at, ref int before, bool inAlphabet)
    {
        while (true)
        {
            var c = text[at];
            var units = Utf16.Length(text, at);
            var width = c < 0x80 ? inAlphabet ? ByteAlphabet.Width((byte)c) : 1
                : (c < 0x800 ? 2 : units == 2 ? 4 : 3) * (inAlphabet ? 2 : 1);
            if (before + width > target)
            {
                return;
            }

            before += width;
            at += units;
        }
    }
}
