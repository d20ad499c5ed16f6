using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Reads the components of a tokenizer.json by their "type". An unknown type is refused by name.
/// </summary>
internal static class TokenizerComponents
{
    public static Normalizer Normalizer(JsonField config) => config.Type switch
    {
        "NFC" => new UnicodeNormalizer(NormalizationForm.FormC),
        "NFD" => new UnicodeNormalizer(NormalizationForm.FormD),
        "NFKC" => new UnicodeNormalizer(NormalizationForm.FormKC),
        "NFKD" => new UnicodeNormalizer(NormalizationForm.FormKD),
        "Lowercase" => new LowercaseNormalizer(),
        "StripAccents" => new StripAccentsNormalizer(),
        "Strip" => new StripNormalizer(config["strip_left"].Bool(true), config["strip_right"].Bool(true)),
        "Prepend" => new PrependNormalizer(config["prepend"].Text()),
        "Replace" => new ReplaceNormalizer(ReadPattern(config["pattern"]), config["content"].Text()),
        "Nmt" => new NmtNormalizer(),
        "BertNormalizer" => Bert(config),
        "ByteLevel" => new ByteLevelNormalizer(),
        "Precompiled" => new PrecompiledNormalizer(ReadCharsMap(config["precompiled_charsmap"])),
        "Sequence" => new NormalizerSequence([.. config["normalizers"].Items().Select(Normalizer)]),
        var type => throw config.Unsupported($"the normalizer {type}"),
    };

    /// <summary>A pre-tokenizer as steps; ByteLevel ends in a <see cref="ByteLevelNormalizer"/>.</summary>
    public static List<PreTokenizer> PreTokenizers(JsonField config)
    {
        switch (config.Type)
        {
            case "Sequence":
                return [.. config["pretokenizers"].Items().SelectMany(PreTokenizers)];
            case "ByteLevel":
                var steps = new List<PreTokenizer>();
                if (config["add_prefix_space"].Bool(true))
                {
                    steps.Add(new PrefixSpace());
                }

                if (config["use_regex"].Bool(true))
                {
                    steps.Add(new PatternSplit(SplitPatterns.Get(SplitPatterns.Gpt2), SplitBehavior.Isolated));
                }

                steps.Add(new NormalizingStep(new ByteLevelNormalizer()));
                return steps;
            case "Split":
                return [new PatternSplit(ReadPattern(config["pattern"]), Behavior(config["behavior"]), config["invert"].Bool(false))];
            case "Digits":
                return [new PatternSplit(SplitPatterns.Get(@"\p{N}"), config["individual_digits"].Bool(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous)];
            case "Punctuation":
                return [new PatternSplit(SplitPatterns.Get(SplitPatterns.Punctuation), config.TryField("behavior", out var b) ? Behavior(b.Value) : SplitBehavior.Isolated)];
            case "Whitespace":
                return [new PatternSplit(SplitPatterns.Get(@"[\w\u200c\u200d]+|[^\w\s\u200c\u200d]+"), SplitBehavior.Removed, invert: true)];
            case "WhitespaceSplit":
                return [new PatternSplit(SplitPatterns.Get(@"\s"), SplitBehavior.Removed)];
            case "CharDelimiterSplit":
                return [new PatternSplit(Compile(config["delimiter"], Pattern.Literal), SplitBehavior.Removed)];
            case "FixedLength":
                return [new FixedLengthSplit(Math.Max(1, config["length"].Int(int.MaxValue)))];
            case "BertPreTokenizer":
                return [new PatternSplit(SplitPatterns.Get(@"\s"), SplitBehavior.Removed), new PatternSplit(SplitPatterns.Get(SplitPatterns.Punctuation), SplitBehavior.Isolated)];
            case "Metaspace":
                var (replacement, prepend) = Metaspace(config);
                return [new MetaspaceSplit(replacement, prepend, config["split"].Bool(true))];
            case "UnicodeScripts":
                return [new UnicodeScriptsSplit()];
            default:
                throw config.Unsupported($"the pre-tokenizer {config.Type}");
        }
    }

    /// <summary>What stands for a space, and where it is put before a text, in the pre-tokenizer and the decoder Metaspace.</summary>
    public static (string Replacement, MetaspacePrepend Prepend) Metaspace(JsonField config)
    {
        var replacement = config["replacement"].Text();
        if (replacement.Length == 0 || replacement.Length != Utf16.Length(replacement, 0))
        {
            throw config["replacement"].Wrong("one character");
        }

        // Older files say add_prefix_space only.
        var prepend = config.TryField("prepend_scheme", out var scheme)
            ? scheme.Value.Text() switch
            {
                "first" => MetaspacePrepend.First,
                "never" => MetaspacePrepend.Never,
                "always" => MetaspacePrepend.Always,
                _ => throw scheme.Value.Wrong("first, never or always"),
            }
            : config["add_prefix_space"].Bool(true) ? MetaspacePrepend.Always : MetaspacePrepend.Never;
        return (replacement, prepend);
    }

    private static NormalizerSequence Bert(JsonField config)
    {
        var lowercase = config["lowercase"].Bool(true);
        var steps = new List<Normalizer>();
        if (config["clean_text"].Bool(true))
        {
            steps.Add(new CleanTextNormalizer());
        }

        if (config["handle_chinese_chars"].Bool(true))
        {
            steps.Add(new ChineseCharactersNormalizer());
        }

        if (config["strip_accents"].Bool(lowercase))
        {
            steps.Add(new UnicodeNormalizer(NormalizationForm.FormD));
            steps.Add(new NonSpacingMarkNormalizer());
        }

        if (lowercase)
        {
            steps.Add(new LowercaseNormalizer());
        }

        return new NormalizerSequence(steps);
    }

    private static CharsMap ReadCharsMap(JsonField config)
    {
        try
        {
            return new CharsMap(Convert.FromBase64String(config.Text()));
        }
        catch (FormatException)
        {
            throw config.Wrong("the rules of SentencePiece in base64");
        }
    }

    private static SplitBehavior Behavior(JsonField config) =>
        config.Text() is var text && Enum.TryParse<SplitBehavior>(text, out var behavior) && behavior.ToString() == text
            ? behavior : throw config.Wrong("one of " + string.Join(", ", Enum.GetNames<SplitBehavior>()));

    public static Pattern ReadPattern(JsonField config) =>
        config.TryField("String", out var literal) ? Compile(literal.Value, Pattern.Literal) : Compile(config["Regex"], SplitPatterns.Get);

    private static Pattern Compile(JsonField text, Func<string, Pattern> compile)
    {
        try
        {
            return compile(text.Text());
        }
        catch (FormatException e)
        {
            throw text.Unsupported(e.Message);
        }
    }
}
