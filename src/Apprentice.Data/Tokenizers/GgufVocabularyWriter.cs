using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Says a BPE tokenizer in the metadata of a GGUF file. For a byte-level one how text is cut can only be named: the family is
/// the one that cuts just so. llama.cpp knows the families by the same names and cuts text alike; a file that says no such
/// name it would read as its default, with other ids.
/// </summary>
internal static class GgufVocabularyWriter
{
    /// <exception cref="InputException">Code <c>not_exportable</c>: the tokenizer does something that the metadata cannot say.</exception>
    public static GgufVocabulary Describe(TokenizerParts parts, int count, string? file)
    {
        var (before, after) = Surrounding(parts, file);
        var tokens = new string?[count];
        foreach (var (text, id) in parts.Vocabulary.Concat(parts.AddedTokens.Select(t => KeyValuePair.Create(t.Content, t.Id))))
        {
            tokens[id] = text;
        }

        var types = Enumerable.Range(0, count).Select(id => tokens[id] is null ? GgufVocabulary.Unused : GgufVocabulary.Normal).ToArray();
        foreach (var token in parts.AddedTokens)
        {
            types[token.Id] = token.Special ? GgufVocabulary.Control : GgufVocabulary.UserDefined;
            if (token.StripLeft || token.StripRight || token.SingleWord)
            {
                throw NotSaid($"the token '{token.Content}' takes white space or asks for a whole word", file);
            }

            if (token.Normalized && parts.Normalizer is { } normalizer
                && (!Ascii.IsValid(token.Content) || !normalizer.Apply(new NormalizedText(token.Content).Whole).Span.SequenceEqual(token.Content)))
            {
                throw NotSaid($"the token '{token.Content}' is looked for in normalized text", file);
            }
        }

        var common = new GgufVocabulary
        {
            Model = "gpt2",
            Tokens = [.. tokens.Select((text, id) => text ?? $"[PAD{id}]")],
            TokenTypes = types,
            Bos = parts.Bos ?? (before.Length > 0 ? before[0] : null),
            Eos = parts.Eos ?? (after.Length > 0 ? after[0] : null),
            Unknown = parts.Unknown,
            Padding = parts.Padding,
            AddBos = before.Length > 0,
            AddEos = after.Length > 0,
        };
        return parts.Model is BytePairEncoder bytes
            ? common with
            {
                Pre = FamilyOf(parts, bytes, file),
                Merges = [.. bytes.Merges.Merges.OrderBy(m => m.Value.Rank).Select(m => $"{tokens[m.Key.Left]} {tokens[m.Key.Right]}")],
            }
            : GgufScoredWriter.Describe(parts, common, what => NotSaid(what, file));
    }

    private static string FamilyOf(TokenizerParts parts, BytePairEncoder model, string? file)
    {
        var nfc = parts.Normalizer is UnicodeNormalizer { Form: NormalizationForm.FormC };
        if ((parts.Normalizer is not null && !nfc) || parts.PreTokenizers.Any(p => p is not PatternSplit { IsPlain: true }))
        {
            throw NotSaid("it normalizes or cuts text in a way that no family of llama.cpp has", file);
        }

        string[] patterns = [.. parts.PreTokenizers.OfType<PatternSplit>().Select(p => p.Pattern.Source)];
        return GgufTokenizer.Families.FirstOrDefault(f =>
                f.Value.Patterns.SequenceEqual(patterns) && f.Value.IgnoreMerges == model.IgnoreMerges && f.Value.Nfc == nfc).Key
            ?? throw NotSaid($"no family of llama.cpp cuts text by {string.Join(" then ", patterns)}", file);
    }

    private static (int[] Before, int[] After) Surrounding(TokenizerParts parts, string? file)
    {
        var steps = parts.PostProcessors.OfType<PostProcessor.Template>().ToArray();
        int[] before = [.. steps.SelectMany(s => s.Before)];
        int[] after = [.. steps.SelectMany(s => s.After)];
        return before.Length <= 1 && (before.Length == 0 || parts.Bos is null || parts.Bos == before[0]) && after.Length <= 1 && (after.Length == 0 || parts.Eos is null || parts.Eos == after[0])
            ? (before, after)
            : throw NotSaid("it puts other tokens around a text than one for the beginning and one for the end", file);
    }

    private static InputException NotSaid(string what, string? file) =>
        new("not_exportable", $"the tokenizer cannot be written as GGUF: {what}", file);
}
