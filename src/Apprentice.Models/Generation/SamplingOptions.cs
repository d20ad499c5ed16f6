using System.Collections.ObjectModel;
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

    /// <summary>Taken from a token's logit each time it is in the answer so far, as OpenAI's API defines it.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Taken once from the logit of every token that is in the answer so far, as OpenAI's API defines it.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Added to the logits of these tokens before anything else.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = ReadOnlyDictionary<int, double>.Empty;

    /// <summary>Whether each token comes with its log-probability, and how many of the most probable ones beside it; null: none.</summary>
    public int? LogProbabilities { get; init; }

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
        Require(FrequencyPenalty is >= -2 and <= 2, "frequency-penalty", FrequencyPenalty, "a number from -2 to 2; 0 turns it off");
        Require(PresencePenalty is >= -2 and <= 2, "presence-penalty", PresencePenalty, "a number from -2 to 2; 0 turns it off");
        Require(LogitBias.Values.All(b => b is >= -100 and <= 100), "logit-bias", LogitBias.Values.FirstOrDefault(b => b is not (>= -100 and <= 100)), "numbers from -100 to 100");
        Require(LogProbabilities is null or (>= 0 and <= 20), "logprobs", LogProbabilities ?? 0, "a whole number from 0 to 20");
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
