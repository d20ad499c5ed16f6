namespace Apprentice.Data.Tokenizers;

/// <summary>Which of two texts gives way where both are too long together.</summary>
public enum TruncationStrategy { LongestFirst, OnlyFirst, OnlySecond }

/// <summary>How a text is cut to a number of tokens.</summary>
/// <param name="MaxLength">Tokens at most, with those that the tokenizer puts around.</param>
/// <param name="Stride">How many tokens a window has in common with the one before it.</param>
/// <param name="Strategy">Which text gives way.</param>
/// <param name="FromLeft">Whether the first window is at the end of the text.</param>
public sealed record Truncation(int MaxLength, int Stride = 0, TruncationStrategy Strategy = TruncationStrategy.LongestFirst, bool FromLeft = false)
{
    /// <summary>The lengths that two texts of <paramref name="first"/> and <paramref name="second"/> tokens are cut to; null for one text.</summary>
    /// <exception cref="ArgumentException">The text that is to give way is too short for that, or is not there.</exception>
    internal (int First, int? Second) Lengths(int first, int? second, int maxLength)
    {
        var excess = first + (second ?? 0) - maxLength;
        if (maxLength <= 0)
        {
            return (0, second is null ? null : 0);
        }

        if (excess <= 0)
        {
            return (first, second);
        }

        switch (Strategy)
        {
            case TruncationStrategy.LongestFirst when second is { } other:
                var shorter = Math.Min(first, other);
                var longer = shorter > maxLength ? shorter : Math.Max(shorter, maxLength - shorter);
                if (shorter + longer > maxLength)
                {
                    (shorter, longer) = (maxLength / 2, (maxLength / 2) + (maxLength % 2));
                }

                return first > other ? (longer, shorter) : (shorter, longer);
            case TruncationStrategy.LongestFirst:
                return (maxLength, null);
            case TruncationStrategy.OnlyFirst when first > excess:
                return (first - excess, second);
            case TruncationStrategy.OnlySecond when second > excess:
                return (first, second - excess);
            default:
                throw new ArgumentException($"The text that is to be cut is too short for a length of {maxLength} tokens, or is not there.");
        }
    }

    /// <summary>The windows of so many tokens, the first of them what is kept.</summary>
    /// <exception cref="ArgumentException">The stride is no less than the window.</exception>
    internal List<(int Start, int End)> Windows(int count, int length)
    {
        if (length >= count)
        {
            return [(0, count)];
        }

        if (length == 0)
        {
            return [(0, 0), (0, count)];
        }

        if (Stride >= length)
        {
            throw new ArgumentException($"The stride of {Stride} tokens must be less than the {length} tokens of a window.");
        }

        var windows = new List<(int Start, int End)>();
        for (var at = 0; ; at += length - Stride)
        {
            var (start, end) = FromLeft ? (Math.Max(0, count - at - length), count - at) : (at, Math.Min(at + length, count));
            windows.Add((start, end));
            if (FromLeft ? start == 0 : end == count)
            {
                return windows;
            }
        }
    }
}
