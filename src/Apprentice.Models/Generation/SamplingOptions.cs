using System.Globalization;
using Apprentice.Data;

namespace Apprentice.Models.Generation;

/// <summary>How the next token is chosen and when generation ends.</summary>
public sealed record SamplingOptions
{
    /// <summary>Below this a temperature means greedy: dividing by it would overflow.</summary>
    public const double GreedyBelow = 1e-5;

    /// <summary>0 is greedy: always the most probable token.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the k most probable tokens; 0 is off.</summary>
    public int TopK { get; init; }

    /// <summary>Only the most probable tokens that together reach p; 1 is off.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only tokens at least this many times as probable as the most probable one; 0 is off.</summary>
    public double MinP { get; init; }

    /// <summary>Divides the logits of tokens that prompt or answer hold already; 1 is off.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>The same seed, prompt and options give the same answer.</summary>
    public long Seed { get; init; }

    /// <summary>Longest answer in tokens.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>The answer ends before the first of these.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    public bool IsGreedy => Temperature < GreedyBelow;

    /// <summary>Checks every value.</summary>
    /// <exception cref="InputException">Code <c>bad_option</c>; the message names the option and its range.</exception>
    public void Validate()
    {
        Require(Temperature is >= 0 and <= 100, "temperature", Temperature, "a number from 0 (greedy) to 100");
        Require(TopK >= 0, "top-k", TopK, "a whole number from 1, or 0 to turn it off");
        Require(TopP is > 0 and <= 1, "top-p", TopP, "a number above 0 and up to 1 (off)");
        Require(MinP is >= 0 and <= 1, "min-p", MinP, "a number from 0 (off) to 1");
        Require(RepetitionPenalty is > 0 and <= 100, "repetition-penalty", RepetitionPenalty, "a number above 0 and up to 100; 1 turns it off");
        Require(MaxTokens >= 1, "max-tokens", MaxTokens, "a whole number from 1");
        foreach (var stop in Stop)
        {
            Require(!string.IsNullOrEmpty(stop), "stop", 0, "a text of at least one character", given: "an empty text");
        }
    }

    private static void Require(bool ok, string option, double value, string right, string? given = null)
    {
        if (!ok)
        {
            throw new InputException("bad_option", $"{option} is {given ?? value.ToString(CultureInfo.InvariantCulture)}; give {right}");
        }
    }
}
