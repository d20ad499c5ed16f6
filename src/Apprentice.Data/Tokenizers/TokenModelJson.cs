using System.Text.Json;

namespace Apprentice.Data.Tokenizers;

/// <summary>Reads the model of a tokenizer.json: BPE, Unigram or WordPiece.</summary>
internal static class TokenModelJson
{
    /// <summary>Room made in tables on the word of a file; beyond it they grow with what is really read.</summary>
    private const int MaxReserved = 1 << 18;

    private const string PrefixField = "continuing_subword_prefix", SuffixField = "end_of_word_suffix";

    /// <param name="model">The field "model".</param>
    /// <param name="steps">The pre-tokenizers: BPE that follows ByteLevel works on bytes.</param>
    public static (TokenModel Model, Dictionary<string, int> Vocabulary, int? Unknown) Read(JsonField model, List<PreTokenizer> steps)
    {
        // Older files leave the type of a BPE model out.
        var type = !model.TryField("type", out _) && model.TryField("merges", out _) ? "BPE" : model.Type;
        switch (type)
        {
            case "BPE":
                var vocabulary = Vocabulary(model["vocab"]);
                var unknown = model.TryField("unk_token", out var token) ? TokenId(token.Value, vocabulary) : (int?)null;
                return (Pairs(model, vocabulary, unknown, steps), vocabulary, unknown);
            case "Unigram":
                return Unigram(model);
            case "WordPiece":
                var words = Vocabulary(model["vocab"]);
                var unknownWord = TokenId(model["unk_token"], words);
                var prefix = model.TryField(PrefixField, out var field) ? field.Value.Text() : "##";
                var longest = model.TryField("max_input_chars_per_word", out var limit) ? limit.Value.Int(int.MaxValue) : 100;
                return (new WordPieceEncoder(words, unknownWord, prefix, longest), words, unknownWord);
            default:
                throw model.Unsupported($"the model {type}");
        }
    }

    private static int TokenId(JsonField token, Dictionary<string, int> vocabulary) =>
        vocabulary.TryGetValue(token.Text(), out var id) ? id : throw token.Wrong("a token of the vocabulary");

    private static Dictionary<string, int> Vocabulary(JsonField field)
    {
        if (field.Value.ValueKind != JsonValueKind.Object)
        {
            throw field.Wrong("an object of tokens and ids");
        }

        var vocabulary = new Dictionary<string, int>(Math.Min(field.Value.GetPropertyCount(), MaxReserved));
        foreach (var entry in field.Value.EnumerateObject())
        {
            vocabulary[entry.Name] = entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var id) && id >= 0 && id < Tokenizer.MaxVocabulary
                ? id : throw new JsonField(entry.Value, $"{field.Path}.{entry.Name}", field.File).Wrong($"an id from 0 to {Tokenizer.MaxVocabulary - 1}");
        }

        return vocabulary;
    }

    private static PairEncoder Pairs(JsonField model, Dictionary<string, int> vocabulary, int? unknown, List<PreTokenizer> steps)
    {
        if (model.TryField("dropout", out var dropout) && !(dropout.Value.Value.ValueKind == JsonValueKind.Number && dropout.Value.Value.GetDouble() == 0))
        {
            throw dropout.Value.Unsupported("dropout");
        }

        var options = new CharacterPairOptions(
            unknown, model["fuse_unk"].Bool(false), model["ignore_merges"].Bool(false), model["byte_fallback"].Bool(false), Affix(model, PrefixField), Affix(model, SuffixField));
        var merges = Merges(model["merges"], vocabulary, options.Prefix.Length);
        var bytes = steps.Count > 0 && steps[^1] is NormalizingStep && !options.ByteFallback && options.Prefix.Length + options.Suffix.Length == 0;
        return bytes
            ? new BytePairEncoder(vocabulary, merges, unknown, options.FuseUnknown, options.IgnoreMerges)
            : new CharacterPairEncoder(vocabulary, merges, options);
    }

    private static string Affix(JsonField model, string name) => model.TryField(name, out var affix) ? affix.Value.Text() : "";

    /// <summary>Merges are written "left right" or, newer, ["left","right"].</summary>
    private static MergeTable Merges(JsonField field, Dictionary<string, int> vocabulary, int prefixLength)
    {
        var table = new MergeTable(vocabulary, Math.Min(vocabulary.Count, MaxReserved), prefixLength);
        var at = 0;
        foreach (var entry in field.Elements())
        {
            var isPair = entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2 && entry[0].ValueKind == JsonValueKind.String && entry[1].ValueKind == JsonValueKind.String;
            var text = entry.ValueKind == JsonValueKind.String ? entry.GetString()! : "";
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            var known = isPair ? table.Add(entry[0].GetString(), entry[1].GetString()) : space >= 0 && table.Add(text.AsSpan(0, space), text.AsSpan(space + 1));
            if (!known)
            {
                throw (field with { Value = entry, Path = $"{field.Path}[{at}]" }).Wrong("two tokens of the vocabulary that make a third");
            }

            at++;
        }

        return table;
    }

    private static (TokenModel Model, Dictionary<string, int> Vocabulary, int? Unknown) Unigram(JsonField model)
    {
        var pieces = new List<ScoredPiece>();
        var vocabulary = new Dictionary<string, int>();
        foreach (var entry in model["vocab"].Items())
        {
            if (pieces.Count == Tokenizer.MaxVocabulary || entry.Value.ValueKind != JsonValueKind.Array || entry.Value.GetArrayLength() != 2
                || entry.Value[0].ValueKind != JsonValueKind.String || entry.Value[1].ValueKind != JsonValueKind.Number)
            {
                throw entry.Wrong($"a token and its score, of at most {Tokenizer.MaxVocabulary}");
            }

            var (text, score) = (entry.Value[0].GetString()!, entry.Value[1].GetDouble());
            if (!double.IsFinite(score))
            {
                throw entry.Wrong("a finite score");
            }

            vocabulary[text] = pieces.Count;
            pieces.Add(new ScoredPiece(text, score, ByteTokens.Value(text) >= 0 ? PieceKind.Byte : PieceKind.Normal));
        }

        var unknown = model["unk_id"].Int(Math.Max(1, pieces.Count));
        return pieces.Count > 0
            ? (new UnigramEncoder(pieces, unknown, model["byte_fallback"].Bool(false), sentencePiece: false), vocabulary, unknown)
            : throw model["vocab"].Wrong("at least the unknown token");
    }
}
