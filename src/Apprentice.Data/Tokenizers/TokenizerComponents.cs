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
        "Sequence" => new NormalizerSequence([.. config["normalizers"].Items().Select(Normalizer)]),
        var type => throw config.Unsupported($"the normalizer {type}"),
    };

    /// <summary>A pre-tokenizer as steps; ByteLevel ends in a <see cref="ByteMapping"/>.</summary>
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

                steps.Add(new ByteMapping());
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
            default:
                throw config.Unsupported($"the pre-tokenizer {config.Type}");
        }
    }

    public static IEnumerable<PostProcessor> PostProcessors(JsonField config)
    {
        switch (config.Type)
        {
            case "Sequence":
                return config["processors"].Items().SelectMany(PostProcessors);
            case "ByteLevel":
                return Trim(config);
            case "RobertaProcessing":
                return Trim(config).Append(Surround(config));
            case "BertProcessing":
                return [Surround(config)];
            case "TemplateProcessing":
                return [Template(config)];
            default:
                throw config.Unsupported($"the post-processor {config.Type}");
        }

        static IEnumerable<PostProcessor> Trim(JsonField config) =>
            config["trim_offsets"].Bool(true) ? [new PostProcessor.TrimOffsets(config["add_prefix_space"].Bool(true))] : [];

        static PostProcessor Surround(JsonField config) => new PostProcessor.Surround([SpecialId(config["cls"])], [SpecialId(config["sep"])]);

        static int SpecialId(JsonField pair) => pair.Items().Take(2).Last().Int(Tokenizer.MaxVocabulary);
    }

    /// <summary>The decoder must be ByteLevel, alone or in a sequence of it.</summary>
    public static void RequireByteLevelDecoder(JsonField config)
    {
        if (config.IsNull)
        {
            throw config.Unsupported("a byte-level tokenizer without a decoder");
        }

        if (config.Type == "Sequence")
        {
            foreach (var decoder in config["decoders"].Items())
            {
                RequireByteLevelDecoder(decoder);
            }
        }
        else if (config.Type != "ByteLevel")
        {
            throw config.Unsupported($"the decoder {config.Type} with a byte-level vocabulary");
        }
    }

    private static PostProcessor Template(JsonField config)
    {
        var (before, after) = (new List<int>(), new List<int>());
        var seen = false;
        foreach (var piece in config["single"].Items())
        {
            if (piece.TryField("SpecialToken", out var special))
            {
                var name = special.Value["id"].Text();
                (seen ? after : before).AddRange(config["special_tokens"][name]["ids"].Items().Select(i => i.Int(Tokenizer.MaxVocabulary)));
            }
            else if (piece["Sequence"]["id"].Text() == "A" && !seen)
            {
                seen = true;
            }
            else
            {
                throw piece.Wrong("the sequence A once and special tokens around it");
            }
        }

        return seen ? new PostProcessor.Surround([.. before], [.. after]) : throw config["single"].Wrong("a template with the sequence A");
    }

    private static SplitBehavior Behavior(JsonField config) =>
        config.Text() is var text && Enum.TryParse<SplitBehavior>(text, out var behavior) && behavior.ToString() == text
            ? behavior : throw config.Wrong("one of " + string.Join(", ", Enum.GetNames<SplitBehavior>()));

    private static Pattern ReadPattern(JsonField config) =>
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
