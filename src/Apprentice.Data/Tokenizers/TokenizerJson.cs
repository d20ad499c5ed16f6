using System.Text.Json;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Reads tokenizer.json, the format of Hugging Face tokenizers. The fields "truncation" and "padding" are passed over:
/// batching is done elsewhere.
/// </summary>
internal static class TokenizerJson
{
    private const long MaxFileBytes = 1L << 28;

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
                parts = Named(parts, new JsonField(configDocument.RootElement, "", config!.Value.Name));
            }

            return new Tokenizer(parts);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string that is no valid UTF-8 or UTF-16.
            throw new InputException("bad_tokenizer", $"A string in the file is not valid Unicode: {e.Message}", name);
        }
    }

    /// <summary>The content of a tokenizer's file, which is there and not too large.</summary>
    public static byte[] Bytes(string path)
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

    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string name)
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
        var steps = root.TryField("pre_tokenizer", out var pre) ? TokenizerComponents.PreTokenizers(pre.Value) : [];
        var (model, vocabulary, unknown) = TokenModelJson.Read(root["model"], steps);
        if (model is BytePairEncoder)
        {
            steps.RemoveAt(steps.Count - 1); // the alphabet in between is not needed: pieces go to the model as they are
        }

        if (steps.Exists(s => s is NormalizingStep) && root["decoder"].IsNull)
        {
            throw root["decoder"].Unsupported("a byte-level tokenizer without a decoder");
        }

        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            Model = model,
            PreTokenizers = steps,
            Normalizer = root.TryField("normalizer", out var normalizer) ? TokenizerComponents.Normalizer(normalizer.Value) : null,
            AddedTokens = root.TryField("added_tokens", out var added) ? [.. added.Value.Items().Select(t => Added(t, vocabulary)).Where(t => t.Content.Length > 0)] : [],
            PostProcessors = root.TryField("post_processor", out var post) ? [.. PostProcessorComponents.Read(post.Value)] : [],
            Decoder = DecoderComponents.Read(root["decoder"]),
            Unknown = unknown,
        };
    }

    /// <summary>Adds what a tokenizer_config.json says: the names of BOS, EOS and the like.</summary>
    public static TokenizerParts Named(TokenizerParts parts, JsonField config) => parts with
    {
        Bos = NamedId(parts, config["bos_token"]) ?? parts.Bos,
        Eos = NamedId(parts, config["eos_token"]) ?? parts.Eos,
        Unknown = parts.Unknown ?? NamedId(parts, config["unk_token"]),
        Padding = NamedId(parts, config["pad_token"]) ?? parts.Padding,
    };

    /// <param name="field">An added token.</param>
    /// <param name="vocabulary">Its id for a text wins, as in the reference.</param>
    /// <param name="id">Where the field itself does not say it.</param>
    public static AddedToken Added(JsonField field, Dictionary<string, int> vocabulary, int? id = null)
    {
        var content = field["content"].Text();
        if (content.Length > AddedTokenFinder.MaxLength)
        {
            throw field["content"].Unsupported($"an added token longer than {AddedTokenFinder.MaxLength} characters");
        }

        var own = id ?? field["id"].Int(Tokenizer.MaxVocabulary);
        return new AddedToken(
            vocabulary.GetValueOrDefault(content, own), content,
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

        return parts.IdOf(field.Value.ValueKind == JsonValueKind.Object ? field["content"].Text() : field.Text());
    }
}
