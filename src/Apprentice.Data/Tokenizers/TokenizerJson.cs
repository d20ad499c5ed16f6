using System.Text.Json;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Reads tokenizer.json, the format of Hugging Face tokenizers. The fields "truncation" and "padding" are passed over:
/// batching is done elsewhere.
/// </summary>
internal static class TokenizerJson
{
    private const long MaxFileBytes = 1L << 28;

    /// <summary>Room made in tables on the word of a file; beyond it they grow with what is really read.</summary>
    private const int MaxReserved = 1 << 18;

    public static Tokenizer ReadFile(string path)
    {
        var tokenizer = Bytes(path);
        var config = Path.Combine(Path.GetDirectoryName(path) ?? "", "tokenizer_config.json");
        return Read(tokenizer, path, File.Exists(config) ? (Bytes(config), config) : null);
    }

    public static Tokenizer Read(ReadOnlyMemory<byte> json, string name, (ReadOnlyMemory<byte> Json, string Name)? config = null)
    {
        using var document = Parse(json, name);
        using var configDocument = config is { } c ? Parse(c.Json, c.Name) : null;
        try
        {
            var parts = Parts(new JsonField(document.RootElement, "", name));
            if (configDocument is not null)
            {
                var root = new JsonField(configDocument.RootElement, "", config!.Value.Name);
                parts = parts with { Bos = NamedId(parts, root["bos_token"]), Eos = NamedId(parts, root["eos_token"]), Unknown = parts.Unknown ?? NamedId(parts, root["unk_token"]), Padding = NamedId(parts, root["pad_token"]) };
            }

            return new Tokenizer(parts);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string that is no valid UTF-8 or UTF-16.
            throw new InputException("bad_tokenizer", $"A string in the file is not valid Unicode: {e.Message}", name);
        }
    }

    private static byte[] Bytes(string path)
    {
        var file = new FileInfo(path);
        return !file.Exists ? throw MissingFile.Error(path, "tokenizer")
            : file.Length > MaxFileBytes ? throw new InputException("bad_tokenizer", $"The file has {file.Length} bytes; a tokenizer has less than {MaxFileBytes}.", path)
            : RefusedIfOther(path, File.ReadAllBytes(path));
    }

    /// <summary>Folders cloned without Git LFS have pointers in place of their large files, of which this may be one.</summary>
    private static byte[] RefusedIfOther(string path, byte[] content) => FileKind.Of(content) is { } kind
        ? throw new InputException("bad_tokenizer", $"this is {kind.Name}; a tokenizer is needed", path, hint: kind.Remedy)
        : content;

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            return JsonDocument.Parse(json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json);
        }
        catch (JsonException e)
        {
            throw new InputException("bad_json", $"The file is not valid JSON: {e.Message}", name, e.LineNumber + 1);
        }
    }

    private static TokenizerParts Parts(JsonField root)
    {
        var model = root["model"];
        if (!model.TryField("type", out _) && model.TryField("merges", out _))
        {
            // Older files leave the type of a BPE model out.
        }
        else if (model.Type != "BPE")
        {
            throw model.Unsupported($"the model {model.Type}");
        }

        var steps = root.TryField("pre_tokenizer", out var pre) ? TokenizerComponents.PreTokenizers(pre.Value) : [];
        if (!steps.Exists(s => s is ByteMapping))
        {
            throw root["pre_tokenizer"].Unsupported("a BPE model without the pre-tokenizer ByteLevel");
        }

        TokenizerComponents.RequireByteLevelDecoder(root["decoder"]);

        // The last step needs no alphabet in between: pieces go to the model as UTF-8.
        var direct = steps[^1] is ByteMapping;
        if (direct)
        {
            steps.RemoveAt(steps.Count - 1);
        }

        var vocabulary = Vocabulary(model["vocab"]);
        var encoder = Encoder(model, vocabulary, out var unknown);
        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Encoder = encoder,
            PreTokenizers = steps,
            PiecesAreBytes = !direct,
            Normalizer = root.TryField("normalizer", out var normalizer) ? TokenizerComponents.Normalizer(normalizer.Value) : null,
            AddedTokens = root.TryField("added_tokens", out var added) ? [.. added.Value.Items().Select(t => Added(t, vocabulary)).Where(t => t.Content.Length > 0)] : [],
            PostProcessors = root.TryField("post_processor", out var post) ? [.. TokenizerComponents.PostProcessors(post.Value)] : [],
            Unknown = unknown,
        };
    }

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

    private static BytePairEncoder Encoder(JsonField model, Dictionary<string, int> vocabulary, out int? unknown)
    {
        foreach (var name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (model.TryField(name, out var affix) && affix.Value.Text().Length > 0)
            {
                throw affix.Value.Unsupported($"{name} in a byte-level model");
            }
        }

        if (model.TryField("dropout", out var dropout) && !(dropout.Value.Value.ValueKind == JsonValueKind.Number && dropout.Value.Value.GetDouble() == 0))
        {
            throw dropout.Value.Unsupported("dropout");
        }

        if (model["byte_fallback"].Bool(false))
        {
            throw model["byte_fallback"].Unsupported("byte_fallback in a byte-level model");
        }

        unknown = model.TryField("unk_token", out var token)
            ? vocabulary.TryGetValue(token.Value.Text(), out var id) ? id : throw token.Value.Wrong("a token of the vocabulary")
            : null;
        var merges = Merges(model["merges"], vocabulary);
        return new BytePairEncoder(vocabulary, merges, unknown, model["fuse_unk"].Bool(false), model["ignore_merges"].Bool(false));
    }

    /// <summary>Merges are written "left right" or, newer, ["left","right"].</summary>
    private static Dictionary<(int Left, int Right), (int Rank, int Id)> Merges(JsonField field, Dictionary<string, int> vocabulary)
    {
        var table = new MergeTable(vocabulary, Math.Min(vocabulary.Count, MaxReserved));
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

        return table.Merges;
    }

    private static AddedToken Added(JsonField field, Dictionary<string, int> vocabulary)
    {
        var content = field["content"].Text();
        if (content.Length > AddedTokenFinder.MaxLength)
        {
            throw field["content"].Unsupported($"an added token longer than {AddedTokenFinder.MaxLength} characters");
        }

        // The vocabulary's id wins, as in the reference.
        var id = field["id"].Int(Tokenizer.MaxVocabulary);
        return new AddedToken(
            vocabulary.GetValueOrDefault(content, id), content,
            field["special"].Bool(false), field["normalized"].Bool(!field["special"].Bool(false)),
            field["lstrip"].Bool(false), field["rstrip"].Bool(false), field["single_word"].Bool(false));
    }

    /// <summary>The id of a token that tokenizer_config.json names, as a string or as an object with "content".</summary>
    private static int? NamedId(TokenizerParts parts, JsonField field)
    {
        if (field.IsNull)
        {
            return null;
        }

        var name = field.Value.ValueKind == JsonValueKind.Object ? field["content"].Text() : field.Text();
        return parts.AddedTokens.FirstOrDefault(t => t.Content == name)?.Id ?? (parts.Vocabulary.TryGetValue(name, out var id) ? id : null);
    }
}
