namespace Apprentice.Data.Tokenizers;

/// <summary>What is done with the tokens of a whole text: trimming of offsets, tokens put around.</summary>
internal abstract record PostProcessor
{
    /// <summary>Takes white space at the ends of tokens out of their offsets (ByteLevel and RobertaProcessing with trim_offsets).</summary>
    /// <param name="AddPrefixSpace">Whether the space at the very start was put there and so is in no offset.</param>
    public sealed record TrimOffsets(bool AddPrefixSpace) : PostProcessor;

    /// <summary>Puts tokens before, after and between texts.</summary>
    /// <param name="Single">For one text.</param>
    /// <param name="Pair">For two.</param>
    public sealed record Template(TemplatePart[] Single, TemplatePart[] Pair) : PostProcessor
    {
        /// <summary>No tokens at all; the second text's tokens are of type 1.</summary>
        public static Template Plain { get; } = Around([], []);

        /// <summary>The same tokens around each of the texts.</summary>
        public static Template Around(int[] before, int[] after)
        {
            return new Template([.. Parts(0)], [.. Parts(0), .. Parts(1)]);

            TemplatePart[] Parts(int text) => [new(before, null, text), new([], text, text), new(after, null, text)];
        }

        /// <summary>The tokens before a single text.</summary>
        public int[] Before { get; } = [.. Single.TakeWhile(p => p.Text is null).SelectMany(p => p.Ids)];

        /// <summary>The tokens after a single text.</summary>
        public int[] After { get; } = [.. Single.SkipWhile(p => p.Text is null).SelectMany(p => p.Ids)];
    }

    /// <summary>The offsets of one token, trimmed. Steps by code points: one space of the token is one code point of the text.</summary>
    public static (int Start, int End) Trim(string text, string token, bool isFirst, bool addPrefixSpace, (int Start, int End) offsets)
    {
        var leading = 0;
        while (leading < token.Length && IsSpace(token[leading]))
        {
            leading++;
        }

        var trailing = 0;
        while (trailing < token.Length && IsSpace(token[^(trailing + 1)]))
        {
            trailing++;
        }

        var (start, end) = offsets;
        if (leading == 1 && addPrefixSpace && (isFirst || start == 0))
        {
            leading = 0; // more than one were not put there
        }

        for (; leading > 0 && start < end; leading--)
        {
            start += Utf16.Length(text, start);
        }

        var trimmed = end;
        for (; trailing > 0 && trimmed > 0; trailing--)
        {
            trimmed -= Utf16.LengthBefore(text, trimmed);
        }

        // Where there are more spaces than text before the end nothing is trimmed, as in the reference.
        return (start, trailing == 0 ? Math.Max(trimmed, start) : end);
    }

    private static bool IsSpace(char c) => c == ByteAlphabet.Character((byte)' ') || char.IsWhiteSpace(c);
}

/// <summary>A part of a template.</summary>
/// <param name="Ids">Special tokens.</param>
/// <param name="Text">Which text stands here instead, 0 or 1; null for none.</param>
/// <param name="Type">The type id of its tokens.</param>
internal sealed record TemplatePart(int[] Ids, int? Text, int Type);
