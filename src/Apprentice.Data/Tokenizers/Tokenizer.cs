namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Text to tokens and back. Reads tokenizer.json (Hugging Face tokenizers: BPE, Unigram, WordPiece), SentencePiece's
/// <c>.model</c> and the vocabulary of a GGUF file. Immutable, usable from many threads; the time is linear in the text's
/// length, n log n in that of a single word.
/// </summary>
public sealed class Tokenizer
{
    /// <summary>Ids must be below this, so that a hostile file cannot make the tables large.</summary>
    internal const int MaxVocabulary = 1 << 21;

    private readonly TokenizerParts _parts;
    private readonly TextPipeline _pipeline;
    private readonly string?[] _texts;
    private readonly bool[] _special;
    private readonly bool _byteLevel;

    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _pipeline = new TextPipeline(parts);
        _byteLevel = parts.Decoder.Any(step => step() is ByteLevelDecoding);
        _texts = new string?[parts.Vocabulary.Values.Concat(parts.AddedTokens.Select(t => t.Id)).DefaultIfEmpty(-1).Max() + 1];
        _special = new bool[_texts.Length];
        foreach (var (text, id) in parts.Vocabulary)
        {
            _texts[id] = text;
        }

        foreach (var token in parts.AddedTokens)
        {
            _texts[token.Id] = _pipeline.TextOf(token);
            _special[token.Id] |= token.Special;
        }

        (BosId, EosId, UnknownId, PaddingId) = (Known(parts.Bos), Known(parts.Eos), Known(parts.Unknown), Known(parts.Padding));
    }

    /// <summary>The highest id and one.</summary>
    public int VocabularySize => _texts.Length;

    /// <summary>Beginning of text, where the file says.</summary>
    public int? BosId { get; }

    /// <summary>End of text or turn, where the file says.</summary>
    public int? EosId { get; }

    public int? UnknownId { get; }

    public int? PaddingId { get; }

    /// <summary>Reads a tokenizer.json, and the names of BOS, EOS and the like from a tokenizer_config.json beside it.</summary>
    /// <exception cref="InputException">The file is broken or uses a component that is not supported, which is named.</exception>
    public static Tokenizer FromJson(string path) => TokenizerJson.ReadFile(path);

    /// <summary>Reads a tokenizer.json; <paramref name="name"/> stands for it in errors.</summary>
    /// <exception cref="InputException">As for a path.</exception>
    public static Tokenizer FromJson(ReadOnlyMemory<byte> json, string name) => TokenizerJson.Read(json, name);

    /// <inheritdoc cref="FromJson(ReadOnlyMemory{byte}, string)"/>
    public static Tokenizer FromJson(Stream json, string name)
    {
        using var buffer = new MemoryStream();
        json.CopyTo(buffer);
        return TokenizerJson.Read(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), name);
    }

    /// <summary>
    /// Reads a <c>.model</c> file of SentencePiece (BPE or Unigram), and from a tokenizer_config.json beside it the names of BOS,
    /// EOS and the like, added tokens, and whether BOS and EOS are put around a text. Where that does not say: BOS, or else EOS.
    /// </summary>
    /// <exception cref="InputException">The file is broken or of a kind that is not supported, which is named.</exception>
    public static Tokenizer FromSentencePiece(string path) => SentencePieceTokenizer.ReadFile(path);

    /// <summary>Reads a <c>.model</c> file of SentencePiece; <paramref name="name"/> stands for it in errors.</summary>
    /// <exception cref="InputException">As for a path.</exception>
    public static Tokenizer FromSentencePiece(ReadOnlyMemory<byte> model, string name) => SentencePieceTokenizer.Read(model, name);

    /// <summary>Makes the tokenizer that a GGUF file describes; <paramref name="name"/> stands for the file in errors.</summary>
    /// <exception cref="InputException">The model or the family (<c>tokenizer.ggml.pre</c>) is not supported, or a table is broken.</exception>
    public static Tokenizer FromGguf(GgufVocabulary vocabulary, string? name = null) => GgufTokenizer.Make(vocabulary, name);

    /// <summary>What a GGUF file is to say for the same ids; <paramref name="name"/> stands for the tokenizer in errors.</summary>
    /// <exception cref="InputException">The metadata of such a file cannot say what this tokenizer does.</exception>
    public GgufVocabulary ToGguf(string? name = null) => GgufVocabularyWriter.Describe(_parts, VocabularySize, name);

    /// <summary>Turns text into tokens.</summary>
    /// <param name="text">Any text; a surrogate without its partner counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to add what the tokenizer puts around a text, such as BOS.</param>
    /// <param name="encodeSpecialAsText">Whether special tokens within the text are plain text, as in text from strangers.</param>
    public Encoding Encode(string text, bool addSpecialTokens = true, bool encodeSpecialAsText = false)
    {
        var tokens = _pipeline.Encode(text, encodeSpecialAsText);
        Trim(text, tokens);
        if (addSpecialTokens)
        {
            foreach (var template in Templates)
            {
                tokens.Surround(template.Before, template.After);
            }
        }

        return tokens.ToEncoding();
    }

    /// <summary>Turns one or two texts into the row of tokens that the tokenizer makes of them, cut to a length where one is given.</summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second text, or null for none.</param>
    /// <param name="truncation">How to cut, or null for not at all.</param>
    /// <param name="addSpecialTokens">As in <see cref="Encode"/>.</param>
    /// <param name="encodeSpecialAsText">As in <see cref="Encode"/>.</param>
    /// <exception cref="ArgumentException">The texts cannot be cut so; the message says why.</exception>
    public PairEncoding EncodePair(string text, string? pair, Truncation? truncation = null, bool addSpecialTokens = true, bool encodeSpecialAsText = false)
    {
        string[] texts = pair is null ? [text] : [text, pair];
        var encodings = texts.Select(t => Encode(t, addSpecialTokens: false, encodeSpecialAsText)).ToList();
        var template = Templates.FirstOrDefault() ?? PostProcessor.Template.Plain;
        var parts = pair is null ? template.Single : template.Pair;
        var room = truncation?.MaxLength - (addSpecialTokens ? parts.Sum(p => p.Ids.Length) : 0);
        var (first, second) = truncation?.Lengths(encodings[0].Ids.Length, pair is null ? null : encodings[1].Ids.Length, room!.Value) ?? (int.MaxValue, int.MaxValue);
        return PairEncoding.Assemble(parts, [.. encodings.Select((e, i) => Windows(e, (i == 0 ? first : second) ?? 0))], addSpecialTokens);

        List<Encoding> Windows(Encoding encoding, int length) => truncation is null ? [encoding]
            : [.. truncation.Windows(encoding.Ids.Length, length).Select(w => new Encoding(encoding.Ids[w.Start..w.End], encoding.Offsets[w.Start..w.End]))];
    }

    /// <summary>Turns tokens into text; bytes that are no UTF-8 become U+FFFD, ids that do not exist are passed over.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var decoder = new StreamingDecoder(this, skipSpecialTokens);
        var text = new System.Text.StringBuilder();
        foreach (var id in ids)
        {
            text.Append(decoder.Push(id));
        }

        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>The token as the vocabulary writes it, be it in the byte alphabet or with ▁ for a space; empty for an id that does not exist.</summary>
    public string TokenText(int id) => Text(id) ?? "";

    /// <summary>The bytes of UTF-8 that a token stands for within a text, maybe only a part of a character's; empty for an id that does not exist.</summary>
    public byte[] TokenBytes(int id)
    {
        var text = TokenText(id);
        return IsSpecial(id) ? System.Text.Encoding.UTF8.GetBytes(text)
            : _byteLevel ? ByteAlphabet.Read(text)
            : ByteTokens.Value(text) is >= 0 and var value ? [(byte)value]
            : System.Text.Encoding.UTF8.GetBytes(text.Replace(ScoredPiece.Space, " ", StringComparison.Ordinal));
    }

    /// <summary>The tokens of an encoding as text: <see cref="TokenText"/>, an added token with the white space that it took, an unknown one of SentencePiece as what it stands for.</summary>
    public string[] Tokens(Encoding encoding) =>
        [.. encoding.Ids.Select((id, i) => encoding.Shown?.GetValueOrDefault(i) ?? TokenText(id))];

    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>The token's text for decoding; null for an id that does not exist or is to be passed over.</summary>
    internal string? Decodable(int id, bool skipSpecialTokens) =>
        Text(id) is { } text && !(skipSpecialTokens && _special[id]) ? text : null;

    internal DecodingRun StartDecoding() => new(_parts.Decoder);

    private IEnumerable<PostProcessor.Template> Templates => _parts.PostProcessors.OfType<PostProcessor.Template>();

    private string? Text(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : null;

    private int? Known(int? id) => id is { } known && Text(known) is not null ? id : null;

    private void Trim(string text, TokenList tokens)
    {
        foreach (var trim in _parts.PostProcessors.OfType<PostProcessor.TrimOffsets>())
        {
            for (var i = 0; i < tokens.Ids.Count; i++)
            {
                tokens.Offsets[i] = PostProcessor.Trim(text, tokens.Shown?.GetValueOrDefault(i) ?? TokenText(tokens.Ids[i]), i == 0, trim.AddPrefixSpace, tokens.Offsets[i]);
            }
        }
    }
}
