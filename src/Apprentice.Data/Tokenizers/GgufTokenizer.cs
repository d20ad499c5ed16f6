using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Puts a tokenizer together from a GGUF file's metadata. The file names its family in <c>tokenizer.ggml.pre</c>, by
/// the names of llama.cpp; a name that is not in the table is refused, since guessing would give other ids in silence.
/// </summary>
internal static class GgufTokenizer
{
    private static readonly string[] Gpt2 = [SplitPatterns.Gpt2];
    private static readonly string[] DigitsThenGpt2 = [@"\p{N}", SplitPatterns.Gpt2];
    private static readonly string[] DeepSeek3 = [@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", SplitPatterns.DeepSeek3];

    // llama.cpp's fallback for files that do not say.
    private static readonly string[] Default =
        [@"[\p{P}\$\+<=>\^~\|]+", @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)", @"\p{N}+", "[0-9][0-9][0-9]"];

    /// <summary>How a family cuts text, one pattern after the other, and what else it does.</summary>
    internal sealed record Family(string[] Patterns, bool IgnoreMerges = false, bool AddBos = false, bool Nfc = false);

    internal static readonly Dictionary<string, Family> Families = new()
    {
        ["default"] = new(Default),
        ["gpt-2"] = new(Gpt2),
        ["phi-2"] = new(Gpt2),
        ["mpt"] = new(Gpt2),
        ["olmo"] = new(Gpt2),
        ["jais"] = new(Gpt2),
        ["smollm"] = new(DigitsThenGpt2),
        ["starcoder"] = new(DigitsThenGpt2),
        ["refact"] = new(DigitsThenGpt2),
        ["command-r"] = new(DigitsThenGpt2),
        ["codeshell"] = new(DigitsThenGpt2),
        ["exaone"] = new(DigitsThenGpt2),
        ["llama3"] = new([SplitPatterns.Llama3], IgnoreMerges: true, AddBos: true),
        ["llama-v3"] = new([SplitPatterns.Llama3], IgnoreMerges: true, AddBos: true),
        ["llama-bpe"] = new([SplitPatterns.Llama3], IgnoreMerges: true, AddBos: true),
        ["dbrx"] = new([SplitPatterns.Llama3]),
        ["smaug-bpe"] = new([SplitPatterns.Llama3]),
        ["glm4"] = new([SplitPatterns.Llama3]),
        ["chatglm-bpe"] = new([SplitPatterns.Llama3]),
        // The published pipelines of these normalize; llama.cpp does not, and differs where text is not normal.
        ["qwen2"] = new([SplitPatterns.Qwen2], Nfc: true),
        ["deepseek-r1-qwen"] = new([SplitPatterns.Qwen2]),
        ["stablelm2"] = new([SplitPatterns.Qwen2]),
        ["gpt-4o"] = new([SplitPatterns.Gpt4o]),
        ["llama4"] = new([SplitPatterns.Gpt4o]),
        ["tekken"] = new([SplitPatterns.Tekken], IgnoreMerges: true),
        ["deepseek-v3"] = new(DeepSeek3),
    };

    public static Tokenizer Make(GgufVocabulary vocabulary, string? file)
    {
        if (vocabulary.Model == GgufSentencePiece.Model)
        {
            return GgufSentencePiece.Make(vocabulary, file);
        }

        var family = FamilyOf(vocabulary, file);
        RequireLength(vocabulary, "token_type", vocabulary.TokenTypes.Length, file);
        var ids = Ids(vocabulary);
        return new Tokenizer(new TokenizerParts
        {
            Vocabulary = ids,
            Model = new BytePairEncoder(ids, Merges(vocabulary.Merges, ids, file), null, fuseUnknown: false, family.IgnoreMerges),
            Decoder = [() => new ByteLevelDecoding()],
            PreTokenizers = Splits(family),
            Normalizer = family.Nfc ? new UnicodeNormalizer(NormalizationForm.FormC) : null,
            AddedTokens = [.. AddedTokens(vocabulary)],
            PostProcessors = [Surround(vocabulary, family.AddBos)],
            Bos = vocabulary.Bos,
            Eos = vocabulary.Eos,
            Unknown = vocabulary.Unknown,
            Padding = vocabulary.Padding,
        });
    }

    /// <summary>A table is as long as there are tokens, or is not there.</summary>
    internal static void RequireLength(GgufVocabulary vocabulary, string name, int length, string? file)
    {
        var count = vocabulary.Tokens.Length;
        if (count >= Tokenizer.MaxVocabulary || (length > 0 && length != count))
        {
            throw new InputException("bad_tokenizer", $"tokenizer.ggml.{name}: {length} entries for {count} tokens; as many as tokens are expected.", file);
        }
    }

    /// <exception cref="InputException">The vocabulary is of a kind or family that is not supported.</exception>
    internal static Family FamilyOf(GgufVocabulary vocabulary, string? file)
    {
        if (vocabulary.Model != "gpt2")
        {
            throw new InputException("unsupported_tokenizer", $"tokenizer.ggml.model: '{vocabulary.Model}' is not supported; known are 'gpt2' (byte-level BPE) and 'llama' (SentencePiece BPE).", file);
        }

        var pre = vocabulary.Pre ?? "default";
        if (!Families.TryGetValue(pre, out var family))
        {
            throw new InputException("unsupported_tokenizer", $"tokenizer.ggml.pre: '{pre}' is not supported; known are {string.Join(", ", Families.Keys)}.", file);
        }

        return family;
    }

    /// <summary>The family's way of cutting text into words.</summary>
    internal static IReadOnlyList<PreTokenizer> Splits(Family family) =>
        [.. family.Patterns.Select(p => new PatternSplit(SplitPatterns.Get(p), SplitBehavior.Isolated))];

    /// <summary>Token to id; of two tokens of the same text the later one counts.</summary>
    internal static Dictionary<string, int> Ids(GgufVocabulary vocabulary)
    {
        var ids = new Dictionary<string, int>(vocabulary.Tokens.Length);
        for (var id = 0; id < vocabulary.Tokens.Length; id++)
        {
            ids[vocabulary.Tokens[id]] = id;
        }

        return ids;
    }

    /// <summary>The two tokens of a merge, both empty where it does not name two. A token may hold a space only at its very start, where it is no separator.</summary>
    internal static (string Left, string Right) Pair(string merge)
    {
        var space = merge.Length > 1 ? merge.IndexOf(' ', 1) : -1;
        return space < 0 ? ("", "") : (merge[..space], merge[(space + 1)..]);
    }

    private static MergeTable Merges(string[] merges, Dictionary<string, int> ids, string? file)
    {
        var table = new MergeTable(ids, merges.Length);
        for (var i = 0; i < merges.Length; i++)
        {
            var (left, right) = Pair(merges[i]);
            if (left.Length == 0 || !table.Add(left, right))
            {
                throw new InputException("bad_tokenizer", $"tokenizer.ggml.merges[{i}]: expected two tokens of the vocabulary that make a third, found '{merges[i]}'.", file);
            }
        }

        return table;
    }

    internal static IEnumerable<AddedToken> AddedTokens(GgufVocabulary vocabulary)
    {
        for (var id = 0; id < vocabulary.TokenTypes.Length; id++)
        {
            if (vocabulary.TokenTypes[id] is GgufVocabulary.Control or GgufVocabulary.UnknownType or GgufVocabulary.UserDefined && vocabulary.Tokens[id].Length is > 0 and <= AddedTokenFinder.MaxLength)
            {
                yield return new AddedToken(id, vocabulary.Tokens[id], Special: vocabulary.TokenTypes[id] != GgufVocabulary.UserDefined);
            }
        }
    }

    internal static PostProcessor.Template Surround(GgufVocabulary vocabulary, bool addBos)
    {
        return PostProcessor.Template.Around(
            vocabulary.AddBos ?? addBos ? Existing(vocabulary.Bos) : [],
            vocabulary.AddEos ?? false ? Existing(vocabulary.Eos) : []);

        int[] Existing(int? id) => id >= 0 && id < vocabulary.Tokens.Length ? [id.Value] : [];
    }
}
