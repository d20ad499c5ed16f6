using Apprentice.Data.ChatTemplates;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>What a new tokenizer is to be.</summary>
public sealed record TokenizerTrainingOptions
{
    /// <summary>Ends a document, and stands where there is none yet.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Begins and ends a turn, as ChatML has them.</summary>
    public const string TurnStart = "<|im_start|>", TurnEnd = "<|im_end|>";

    /// <summary>Tokens in all: the special ones, 256 bytes, and the rest learned. Fewer where the text gives no more.</summary>
    public int VocabularySize { get; init; } = 4096;

    /// <summary>Tokens that steer the model and are no text, from id 0 on.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [EndOfText, TurnStart, TurnEnd];

    /// <summary>Beginning of text; null: <see cref="EndOfText"/> if that is special, else none. It is not put before texts.</summary>
    public string? Bos { get; init; }

    /// <summary>Ends a turn or a text; null: <see cref="TurnEnd"/> or <see cref="EndOfText"/>, whichever is special.</summary>
    public string? Eos { get; init; }

    /// <summary>Padding; null: as <see cref="Bos"/>.</summary>
    public string? Padding { get; init; }

    /// <summary>Two neighbours become a token only if they stand together so often.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>UTF-8 bytes to learn from, about: each file gives its share from its beginning on, to the end of a document. Null: all.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Conversations are learned from as this template writes them, so that its words for roles become tokens; null: what is said in them only.</summary>
    public ChatTemplate? Template { get; init; }

    /// <summary>Null: one per core. The result is the same for any number.</summary>
    public int? Threads { get; init; }

    /// <exception cref="InputException">Code <c>bad_option</c>; the message says what would be right.</exception>
    internal void Validate()
    {
        var smallest = 256 + SpecialTokens.Count;
        Require(VocabularySize >= smallest, $"the vocabulary is to have {VocabularySize} tokens; {SpecialTokens.Count} special ones and 256 bytes need {smallest}");
        Require(VocabularySize <= Tokenizer.MaxVocabulary, $"the vocabulary is to have {VocabularySize} tokens; at most {Tokenizer.MaxVocabulary} are possible");
        Require(MinimumFrequency >= 1, $"the minimum frequency is {MinimumFrequency}; give 1 or more");
        Require(MaxBytes is null or >= 1, $"the bytes to learn from are {MaxBytes}; give 1 or more");
        Require(Threads is null or >= 1, $"the threads are {Threads}; give 1 or more");
        foreach (var token in SpecialTokens)
        {
            // One character could be the name of a byte, and white space would be taken out of every text.
            Require(token.Length is >= 2 and <= AddedTokenFinder.MaxLength && !string.IsNullOrWhiteSpace(token) && Utf16.Repair(token) == token,
                $"'{token}' cannot be a special token; give 2 to {AddedTokenFinder.MaxLength} characters that are not all white space, such as {EndOfText}");
            Require(SpecialTokens.Count(t => t == token) == 1, $"the special token '{token}' is there twice");
        }

        Require(EosToken is not null, $"none of the special tokens is {TurnEnd} or {EndOfText}: say which of them ends a text");
        foreach (var (role, token) in new[] { ("beginning", Bos), ("end", Eos), ("padding", Padding) })
        {
            Require(token is null || SpecialTokens.Contains(token), $"the {role} token '{token}' is not among the special tokens: {string.Join(" ", SpecialTokens)}");
        }
    }

    internal string? BosToken => Bos ?? IfSpecial(EndOfText);

    internal string? EosToken => Eos ?? IfSpecial(TurnEnd) ?? IfSpecial(EndOfText);

    internal string? PaddingToken => Padding ?? BosToken;

    private string? IfSpecial(string token) => SpecialTokens.Contains(token) ? token : null;

    private static void Require(bool right, string message)
    {
        if (!right)
        {
            throw new InputException("bad_option", message);
        }
    }
}
