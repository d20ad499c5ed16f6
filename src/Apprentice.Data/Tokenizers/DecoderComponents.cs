namespace Apprentice.Data.Tokenizers;

/// <summary>Reads the decoder of a tokenizer.json. An unknown type is refused by name.</summary>
internal static class DecoderComponents
{
    /// <summary>The steps in their order; a component that is null joins the tokens with spaces.</summary>
    public static List<Func<DecodingStep>> Read(JsonField config)
    {
        if (config.IsNull)
        {
            return [() => new SpacedDecoding()];
        }

        var components = Flatten(config).ToList();
        var steps = new List<Func<DecodingStep>>();
        for (var i = 0; i < components.Count; i++)
        {
            var last = i == components.Count - 1;
            switch (components[i].Type)
            {
                case "Fuse" when last:
                    break; // the tokens are put together anyway
                case "Fuse" when i == components.Count - 2 && components[^1].Type == "Strip" && components[^1]["stop"].Int(int.MaxValue) == 0:
                    var strip = components[++i];
                    var (content, start) = (Content(strip), strip["start"].Int(int.MaxValue));
                    steps.Add(() => new StripStartDecoding(content, start));
                    break;
                case "Fuse":
                    steps.Add(() => new FuseDecoding());
                    break;
                case "ByteLevel":
                    steps.Add(() => new ByteLevelDecoding());
                    if (!last)
                    {
                        steps.Add(() => new FuseDecoding());
                    }

                    break;
                default:
                    steps.Add(Step(components[i]));
                    break;
            }
        }

        return steps;
    }

    private static IEnumerable<JsonField> Flatten(JsonField config) =>
        config.Type == "Sequence" ? config["decoders"].Items().SelectMany(Flatten) : [config];

    private static Func<DecodingStep> Step(JsonField config)
    {
        switch (config.Type)
        {
            case "ByteFallback":
                return () => new ByteFallbackDecoding();
            case "Replace":
                var (pattern, with) = (TokenizerComponents.ReadPattern(config["pattern"]), config["content"].Text());
                return () => new MapDecoding((token, _) => MapDecoding.Replace(token, pattern, with));
            case "Strip":
                var (content, start, stop) = (Content(config), config["start"].Int(int.MaxValue), config["stop"].Int(int.MaxValue));
                return () => new MapDecoding((token, _) => MapDecoding.Strip(token, content, start, stop));
            case "Metaspace":
                var (replacement, prepend) = TokenizerComponents.Metaspace(config);
                return () => new MapDecoding((token, first) => MapDecoding.Metaspace(token, replacement, first && prepend != MetaspacePrepend.Never));
            case "WordPiece":
                var (prefix, cleanup) = (config["prefix"].Text(), config["cleanup"].Bool(true));
                return () => new MapDecoding((token, first) => MapDecoding.WordPiece(token, prefix, first, cleanup));
            case "BPEDecoder":
                var suffix = config["suffix"].Text();
                return () => new WordEndDecoding(suffix);
            case "CTC":
                var (padding, delimiter, clean) = (config["pad_token"].Text(), config["word_delimiter_token"].Text(), config["cleanup"].Bool(true));
                return () => new RepeatsDecoding(padding, delimiter, clean);
            default:
                throw config.Unsupported($"the decoder {config.Type}");
        }
    }

    private static string Content(JsonField strip) =>
        strip["content"].Text() is { Length: > 0 } text && text.Length == Utf16.Length(text, 0) ? text : throw strip["content"].Wrong("one character");
}
