namespace Apprentice.Data.Tokenizers;

/// <summary>A text as tokens.</summary>
/// <param name="Ids">The token ids.</param>
/// <param name="Offsets">
/// For each token the range of the original text that it stands for, in UTF-16 units (indices of the C# string).
/// A token that holds only a part of a character has the range of the whole character; a token that the tokenizer
/// added has (0, 0).
/// </param>
public sealed record Encoding(int[] Ids, (int Start, int End)[] Offsets)
{
    /// <summary>The tokens that are shown as another text than the vocabulary's, by their place in <see cref="Ids"/>.</summary>
    internal IReadOnlyDictionary<int, string>? Shown { get; init; }

    /// <summary>The offsets counted in Unicode code points of <paramref name="text"/>, which is the text that was encoded.</summary>
    public (int Start, int End)[] CodePointOffsets(string text)
    {
        var codePoints = new int[text.Length + 1]; // before each UTF-16 index
        for (var i = 0; i < text.Length; i++)
        {
            var second = i > 0 && char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1]);
            codePoints[i + 1] = codePoints[i] + (second ? 0 : 1);
        }

        return Array.ConvertAll(Offsets, o => (codePoints[o.Start], codePoints[o.End]));
    }
}
