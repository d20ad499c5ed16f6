using System.Text.Encodings.Web;
using System.Text.Json;

namespace Apprentice.Data.Tokenizers;

/// <summary>Writes the vocabulary of a GGUF file as a tokenizer.json that gives the same ids, here and in Hugging Face tokenizers.</summary>
public static class TokenizerJsonWriter
{
    /// <param name="vocabulary">Of a GGUF file.</param>
    /// <param name="stream">Where the file goes.</param>
    /// <param name="name">The GGUF file, for errors.</param>
    /// <exception cref="InputException">The vocabulary is of a kind that is not supported.</exception>
    public static void Write(GgufVocabulary vocabulary, Stream stream, string? name = null)
    {
        var scored = vocabulary.Model == GgufSentencePiece.Model ? new ScoredTokenizerJson(vocabulary, name) : null;
        var family = scored is null ? GgufTokenizer.FamilyOf(vocabulary, name) : null;
        var surround = GgufTokenizer.Surround(vocabulary, family?.AddBos ?? true);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        WriteAddedTokens(json, vocabulary);
        if (family is not null)
        {
            WriteNormalizer(json, family);
            WritePreTokenizer(json, family);
            json.WritePropertyName("decoder");
            WriteByteLevel(json);
        }

        scored?.WriteComponents(json);
        WritePostProcessor(json, vocabulary, surround);
        WriteModel(json, vocabulary, family, scored);
        json.WriteEndObject();
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, GgufVocabulary vocabulary)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in GgufTokenizer.AddedTokens(vocabulary))
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("lstrip", token.StripLeft);
            json.WriteBoolean("rstrip", token.StripRight);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNormalizer(Utf8JsonWriter json, GgufTokenizer.Family family)
    {
        if (!family.Nfc)
        {
            json.WriteNull("normalizer");
            return;
        }

        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static void WritePreTokenizer(Utf8JsonWriter json, GgufTokenizer.Family family)
    {
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (var pattern in family.Patterns)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", pattern);
            json.WriteEndObject();
            json.WriteString("behavior", nameof(SplitBehavior.Isolated));
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }

        WriteByteLevel(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", false);
        json.WriteBoolean("use_regex", false);
        json.WriteEndObject();
    }

    private static void WritePostProcessor(Utf8JsonWriter json, GgufVocabulary vocabulary, PostProcessor.Template surround)
    {
        int[] special = [.. surround.Before, .. surround.After];
        if (special.Length == 0)
        {
            json.WriteNull("post_processor");
            return;
        }

        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        WriteTemplate("single", ["A"]);
        WriteTemplate("pair", ["A", "B"]);
        json.WriteStartObject("special_tokens");
        foreach (var id in special.Distinct())
        {
            json.WriteStartObject(vocabulary.Tokens[id]);
            json.WriteString("id", vocabulary.Tokens[id]);
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(vocabulary.Tokens[id]);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();

        void WriteTemplate(string template, string[] sequences)
        {
            json.WriteStartArray(template);
            for (var i = 0; i < sequences.Length; i++)
            {
                foreach (var id in surround.Before)
                {
                    WritePiece("SpecialToken", vocabulary.Tokens[id], i);
                }

                WritePiece("Sequence", sequences[i], i);
                foreach (var id in surround.After)
                {
                    WritePiece("SpecialToken", vocabulary.Tokens[id], i);
                }
            }

            json.WriteEndArray();
        }

        void WritePiece(string kind, string id, int type)
        {
            json.WriteStartObject();
            json.WriteStartObject(kind);
            json.WriteString("id", id);
            json.WriteNumber("type_id", type);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void WriteModel(Utf8JsonWriter json, GgufVocabulary vocabulary, GgufTokenizer.Family? family, ScoredTokenizerJson? scored)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", scored?.Unknown);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", scored is not null);
        json.WriteBoolean("byte_fallback", scored is not null);
        json.WriteBoolean("ignore_merges", family?.IgnoreMerges ?? false);
        json.WriteStartObject("vocab");
        foreach (var (token, id) in GgufTokenizer.Ids(vocabulary).OrderBy(t => t.Value))
        {
            json.WriteNumber(token, id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in scored?.Merges() ?? vocabulary.Merges.Select(GgufTokenizer.Pair))
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
