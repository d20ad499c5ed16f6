using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// What a tokenizer.json says for a vocabulary with scores and without merges: BPE with byte fallback whose merges are all
/// pairs that make a token, in the order of the scores of what they make.
/// </summary>
internal sealed class ScoredTokenizerJson
{
    private readonly List<ScoredPiece> _pieces;
    private readonly Dictionary<string, int> _ids;
    private readonly bool _prefix;

    /// <exception cref="InputException">Code <c>not_exportable</c>: the order of merges would not say the same.</exception>
    public ScoredTokenizerJson(GgufVocabulary vocabulary, string? file)
    {
        GgufTokenizer.RequireLength(vocabulary, "scores", vocabulary.Scores.Length, file);
        _pieces = GgufSentencePiece.Pieces(vocabulary, file);
        _ids = ScoredPiece.TextIds(_pieces);
        _prefix = vocabulary.AddSpacePrefix ?? true;
        Unknown = vocabulary.Unknown is { } id && id < _pieces.Count ? _pieces[id].Text : _pieces.Find(p => p.Kind == PieceKind.Unknown)?.Text;
        var joined = _pieces.Where(p => p.IsText && ScoredMerges.Splits(p.Text, _ids).Any()).ToList();
        var tie = joined.GroupBy(p => p.Score).FirstOrDefault(g => g.Count() > 1);
        if (tie is not null)
        {
            throw NotSaid($"'{tie.First().Text}' and '{tie.Last().Text}' have the same score, {tie.Key}, so no order of merges says which comes first", file);
        }

        if (joined.Find(p => p.Kind == PieceKind.Unused) is { } unused)
        {
            throw NotSaid($"the unused token '{unused.Text}' can be joined from others", file);
        }
    }

    /// <summary>The unknown token.</summary>
    public string? Unknown { get; }

    public IEnumerable<(string Left, string Right)> Merges() => _pieces
        .Where(p => p.IsText)
        .SelectMany(p => ScoredMerges.Splits(p.Text, _ids).Select(s => (s.Left, s.Right, p.Score)))
        .OrderByDescending(m => m.Score).ThenByDescending(m => m.Left.Length).ThenByDescending(m => m.Right.Length)
        .Select(m => (m.Left, m.Right));

    public void WriteComponents(Utf8JsonWriter json)
    {
        var spaces = new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = ScoredPiece.Space };
        json.WritePropertyName("normalizer");
        JsonObject normalizer = _prefix
            ? new() { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "Prepend", ["prepend"] = ScoredPiece.Space }, spaces) }
            : spaces;
        normalizer.WriteTo(json);
        json.WriteNull("pre_tokenizer");
        var decoders = new JsonArray(
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = ScoredPiece.Space }, ["content"] = " " },
            new JsonObject { ["type"] = "ByteFallback" },
            new JsonObject { ["type"] = "Fuse" });
        if (_prefix)
        {
            decoders.Add((JsonNode)new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        }

        json.WritePropertyName("decoder");
        new JsonObject { ["type"] = "Sequence", ["decoders"] = decoders }.WriteTo(json);
    }

    private static InputException NotSaid(string what, string? file) =>
        new("not_exportable", $"the tokenizer cannot be written as tokenizer.json: {what}", file);
}
