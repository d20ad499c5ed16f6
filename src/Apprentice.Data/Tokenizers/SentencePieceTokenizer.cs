using System.Globalization;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Puts a tokenizer together from a SentencePiece <c>.model</c> file. Text is encoded as SentencePiece does it; that control
/// tokens (BOS, EOS) and the unknown one are found in text, unless they are to be plain text, is as for every other tokenizer.
/// </summary>
internal static class SentencePieceTokenizer
{
    private const int Unigram = 1, BytePair = 2;

    public static Tokenizer ReadFile(string path)
    {
        var model = TokenizerJson.Bytes(path);
        var config = Path.Combine(Path.GetDirectoryName(path) ?? "", "tokenizer_config.json");
        if (!File.Exists(config))
        {
            return Read(model, path);
        }

        using var document = TokenizerJson.Parse(TokenizerJson.Bytes(config), config);
        return Read(model, path, new JsonField(document.RootElement, "", config));
    }

    public static Tokenizer Read(ReadOnlyMemory<byte> bytes, string name, JsonField? config = null)
    {
        try
        {
            return new Tokenizer(Parts(SentencePieceModel.Parse(bytes), name, config));
        }
        catch (FormatException e)
        {
            throw new InputException("bad_tokenizer", $"The file is no sound SentencePiece model: {e.Message}.", name);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException("bad_tokenizer", $"A string in the file is not valid Unicode: {e.Message}", config?.File ?? name);
        }
    }

    private static TokenizerParts Parts(SentencePieceModel model, string name, JsonField? config)
    {
        if (model.Kind is not (Unigram or BytePair) || model.HasDenormalizer)
        {
            throw new InputException("unsupported_tokenizer", model.HasDenormalizer
                ? "denormalizer_spec: rules that rewrite decoded text are not supported."
                : $"trainer_spec.model_type: {model.Kind} is not supported; 1 (Unigram) and 2 (BPE) are.", name);
        }

        var vocabulary = Vocabulary(model);
        var unknown = model.Pieces.FindIndex(p => p.Kind == PieceKind.Unknown);
        var added = model.Pieces.Select((p, id) => (Piece: p, Id: id))
            .Where(p => p.Piece.Kind is PieceKind.Control or PieceKind.Unknown && p.Piece.Text.Length <= AddedTokenFinder.MaxLength)
            .Select(p => new AddedToken(p.Id, p.Piece.Text, Special: true)).ToList();
        added.AddRange(AddedTokens(config, vocabulary));
        var parts = new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = model.Kind == BytePair
                ? new ScoredPairEncoder(model.Pieces, unknown)
                : new UnigramEncoder(model.Pieces, unknown, model.ByteFallback, sentencePiece: true),
            Normalizer = new SentencePieceNormalizer(model, ScoredPiece.UserDefined(model.Pieces), config?["legacy"].Bool(true) ?? true),
            Decoder = [() => new SentencePieceDecoding(model, model.Pieces[unknown].Text)],
            AddedTokens = added,
            Bos = Existing(model.Bos),
            Eos = Existing(model.Eos),
            Unknown = unknown,
            Padding = Existing(model.Padding),
        };
        parts = config is { } named ? TokenizerJson.Named(parts, named) : parts;
        var addBos = config?["add_bos_token"].Bool(parts.Bos is not null) ?? parts.Bos is not null;
        var addEos = config?["add_eos_token"].Bool(parts.Bos is null) ?? parts.Bos is null;
        return parts with { PostProcessors = [PostProcessor.Template.Around(addBos && parts.Bos is { } bos ? [bos] : [], addEos && parts.Eos is { } eos ? [eos] : [])] };

        int? Existing(int id) => id >= 0 && id < model.Pieces.Count && model.Pieces[id].Kind == PieceKind.Control ? id : null;
    }

    /// <summary>The ids of all pieces, which must be as SentencePiece itself asks for.</summary>
    private static Dictionary<string, int> Vocabulary(SentencePieceModel model)
    {
        var vocabulary = new Dictionary<string, int>();
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var piece = model.Pieces[id];
            if (!vocabulary.TryAdd(piece.Text, id))
            {
                throw new FormatException($"piece {id}, '{piece.Text}', is there twice");
            }

            if (piece.Kind == PieceKind.Byte && (!model.ByteFallback || ByteTokens.Value(piece.Text) < 0))
            {
                throw new FormatException($"piece {id}, '{piece.Text}', is no byte, or the model has no byte_fallback");
            }
        }

        return model.Pieces.Count(p => p.Kind == PieceKind.Unknown) != 1 ? throw new FormatException("there must be one unknown piece")
            : model.ByteFallback && ScoredPiece.ByteIds(model.Pieces) is null ? throw new FormatException("byte_fallback without a piece for each byte")
            : vocabulary;
    }

    /// <summary>The tokens that tokenizer_config.json adds to those of the model.</summary>
    private static IEnumerable<AddedToken> AddedTokens(JsonField? config, Dictionary<string, int> vocabulary)
    {
        if (config is not { } root || !root.TryField("added_tokens_decoder", out var added))
        {
            return [];
        }

        return added.Value.Fields().Select(field =>
        {
            var id = int.TryParse(field.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Tokenizer.MaxVocabulary ? number : throw field.Value.Wrong("an id as its name");
            return TokenizerJson.Added(field.Value, vocabulary, id);
        }).Where(t => t.Content.Length > 0);
    }
}
