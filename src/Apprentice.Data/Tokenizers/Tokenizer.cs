namespace Apprentice.Data.Tokenizers;

/// <summary>
/// A byte-level BPE tokenizer: added tokens are found, the text between them is normalized, cut into words and each
/// word encoded. Reads tokenizer.json (Hugging Face tokenizers) and the vocabulary of a GGUF file. Immutable, usable
/// from many threads; the time is linear in the text's length, n log n in that of a single word.
/// </summary>
public sealed class Tokenizer
{
    /// <summary>Ids must be below this, so that a hostile file cannot make the tables large.</summary>
    internal const int MaxVocabulary = 1 << 21;

    private readonly TokenizerParts _parts;
    private readonly AddedTokenFinder _rawTokens;
    private readonly AddedTokenFinder _normalizedTokens;
    private readonly BytePairEncoder _encoder;
    private readonly Dictionary<string, int> _addedIds = []; // apart from the vocabulary, in which words are looked up
    private readonly string?[] _texts;
    private readonly bool[] _special;

    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _encoder = parts.Encoder;
        _texts = new string?[parts.Vocabulary.Values.Concat(parts.AddedTokens.Select(t => t.Id)).DefaultIfEmpty(-1).Max() + 1];
        _special = new bool[_texts.Length];
        foreach (var (text, id) in parts.Vocabulary)
        {
            _texts[id] = text;
        }

        foreach (var token in parts.AddedTokens)
        {
            _texts[token.Id] = token.Content;
            _special[token.Id] |= token.Special;
            _addedIds[token.Content] = token.Id;
        }

        _rawTokens = new AddedTokenFinder(parts.AddedTokens.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        _normalizedTokens = new AddedTokenFinder(parts.AddedTokens.Where(t => t.Normalized).Select(t => (Normalize(new NormalizedText(t.Content).Whole).ToString(), t)));
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
        var result = new TokenList(text.Length / 3);
        var cuts = new List<(Piece Piece, AddedToken? Token)>();
        var normalizedCuts = new List<(Piece Piece, AddedToken? Token)>();
        _rawTokens.Cut(new NormalizedText(Utf16.Repair(text)).Whole, encodeSpecialAsText, cuts);
        foreach (var (piece, token) in cuts)
        {
            if (token is not null)
            {
                result.Add(token, piece);
                continue;
            }

            normalizedCuts.Clear();
            _normalizedTokens.Cut(Normalize(piece), encodeSpecialAsText, normalizedCuts);
            foreach (var (part, normalizedToken) in normalizedCuts)
            {
                if (normalizedToken is not null)
                {
                    result.Add(normalizedToken, part);
                }
                else
                {
                    EncodeStretch(part, result);
                }
            }
        }

        PostProcess(text, addSpecialTokens, result);
        return new Encoding([.. result.Ids], [.. result.Offsets]) { Widened = result.Widened };
    }

    /// <summary>Turns tokens into text; bytes that are no UTF-8 become U+FFFD, ids that do not exist are passed over.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        using var bytes = new MemoryStream();
        foreach (var id in ids)
        {
            bytes.Write(TokenBytes(id, skipSpecialTokens));
        }

        return System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>The token as the vocabulary writes it, in the byte alphabet; empty for an id that does not exist.</summary>
    public string TokenText(int id) => Text(id) ?? "";

    /// <summary>The tokens of an encoding as text: <see cref="TokenText"/>, an added token with the white space that it took.</summary>
    public string[] Tokens(Encoding encoding) =>
        [.. encoding.Ids.Select((id, i) => encoding.Widened?.GetValueOrDefault(i) ?? TokenText(id))];

    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>The UTF-8 bytes that a token adds to a text, maybe a part of a character.</summary>
    internal ReadOnlySpan<byte> TokenBytes(int id, bool skipSpecialTokens) =>
        Text(id) is { } text && !(skipSpecialTokens && _special[id]) ? ByteAlphabet.Read(text) : [];

    private string? Text(int id) => (uint)id < (uint)_texts.Length ? _texts[id] : null;

    private int? Known(int? id) => id is { } known && Text(known) is not null ? id : null;

    private Piece Normalize(Piece piece) => _parts.Normalizer?.Apply(piece) ?? piece;

    private void EncodeStretch(Piece stretch, TokenList result)
    {
        foreach (var piece in PreTokenizer.Run(_parts.PreTokenizers, stretch))
        {
            var word = _parts.PiecesAreBytes ? _encoder.EncodeBytes(ByteAlphabet.Read(piece.ToString())) : _encoder.EncodeText(piece.Span);
            AddWord(piece, word, result);
        }
    }

    // Walks the word's tokens and the piece's characters side by side.
    private void AddWord(Piece piece, Word word, TokenList result)
    {
        var text = piece.Span;
        var (at, before, done) = (0, 0, 0); // the character at hand, the width before it, the width of the tokens so far
        for (var i = 0; i < word.Ids.Length; i++)
        {
            Seek(text, done, ref at, ref before);
            var start = piece.Source.OriginalStart(piece.Start + at);
            done += word.Widths[i];
            Seek(text, done - 1, ref at, ref before);
            result.Add(word.Ids[i], (start, piece.Source.OriginalEnd(piece.Start + at)));
        }
    }

    /// <summary>Moves on to the character that holds <paramref name="target"/>, counted as <see cref="Word"/> counts.</summary>
    private void Seek(ReadOnlySpan<char> text, int target, ref int at, ref int before)
    {
        while (true)
        {
            var c = text[at];
            var units = Utf16.Length(text, at);
            var width = c < 0x80 ? ByteAlphabet.Width((byte)c) : _parts.PiecesAreBytes ? 2 : c < 0x800 ? 4 : units == 2 ? 8 : 6;
            if (before + width > target)
            {
                return;
            }

            before += width;
            at += units;
        }
    }

    private void PostProcess(string text, bool addSpecialTokens, TokenList result)
    {
        foreach (var step in _parts.PostProcessors)
        {
            if (step is PostProcessor.TrimOffsets trim)
            {
                for (var i = 0; i < result.Ids.Count; i++)
                {
                    result.Offsets[i] = PostProcessor.Trim(text, result.Widened?.GetValueOrDefault(i) ?? TokenText(result.Ids[i]), i == 0, trim.AddPrefixSpace, result.Offsets[i]);
                }
            }
            else if (step is PostProcessor.Surround surround && addSpecialTokens)
            {
                result.Surround(surround.Before, surround.After);
            }
        }
    }

    private sealed class TokenList(int capacity)
    {
        public List<int> Ids { get; } = new(capacity);
        public List<(int Start, int End)> Offsets { get; } = new(capacity);

        public Dictionary<int, string>? Widened { get; private set; }

        public void Add(int id, (int Start, int End) offsets)
        {
            Ids.Add(id);
            Offsets.Add(offsets);
        }

        public void Add(AddedToken token, Piece piece)
        {
            if (piece.Length > token.Content.Length)
            {
                (Widened ??= [])[Ids.Count] = piece.ToString();
            }

            Add(token.Id, piece.OriginalRange);
        }

        public void Surround(int[] before, int[] after)
        {
            Ids.InsertRange(0, before);
            Ids.AddRange(after);
            Offsets.InsertRange(0, new (int, int)[before.Length]);
            Offsets.AddRange(new (int, int)[after.Length]);
            Widened = Widened?.ToDictionary(w => w.Key + before.Length, w => w.Value);
        }
    }
}
