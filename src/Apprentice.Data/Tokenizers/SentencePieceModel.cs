namespace Apprentice.Data.Tokenizers;

/// <summary>What a SentencePiece <c>.model</c> file says (message ModelProto), as far as encoding and decoding need it.</summary>
internal sealed record SentencePieceModel
{
    public List<ScoredPiece> Pieces { get; } = [];

    /// <summary>1 Unigram, 2 BPE; others cut at spaces or into characters only.</summary>
    public int Kind { get; private set; } = 1;
    public bool ByteFallback { get; private set; }
    public bool SpaceAsSuffix { get; private set; }
    public int Bos { get; private set; } = 1;
    public int Eos { get; private set; } = 2;
    public int Padding { get; private set; } = -1;

    /// <summary>What the unknown token is in decoded text.</summary>
    public string UnknownSurface { get; private set; } = " \u2047 ";
    public ReadOnlyMemory<byte> CharsMap { get; private set; }
    public bool AddDummyPrefix { get; private set; } = true;
    public bool RemoveExtraSpaces { get; private set; } = true;
    public bool EscapeSpaces { get; private set; } = true;
    public bool HasDenormalizer { get; private set; }

    /// <exception cref="FormatException">The bytes are no such message.</exception>
    public static SentencePieceModel Parse(ReadOnlyMemory<byte> bytes)
    {
        var model = new SentencePieceModel();
        var reader = new ProtobufReader(bytes);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: model.Pieces.Add(Piece(reader.Bytes(), model.Pieces.Count)); break;
                case 2: model.ReadTrainer(reader.Bytes()); break;
                case 3: model.ReadNormalizer(reader.Bytes()); break;
                case 5: model.ReadDenormalizer(reader.Bytes()); break;
                default: reader.Skip(); break;
            }
        }

        return model;
    }

    private static ScoredPiece Piece(ReadOnlyMemory<byte> message, int id)
    {
        var (text, score, kind) = ("", 0f, 1);
        var reader = new ProtobufReader(message);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: text = reader.Text(); break;
                case 2: score = reader.Single(); break;
                case 3: kind = reader.Int32(); break;
                default: reader.Skip(); break;
            }
        }

        return id >= Tokenizer.MaxVocabulary ? throw new FormatException($"more than {Tokenizer.MaxVocabulary} pieces")
            : text.Length == 0 ? throw new FormatException($"piece {id} is empty")
            : !float.IsFinite(score) ? throw new FormatException($"piece {id} has the score {score}")
            : kind is < 1 or > 6 ? throw new FormatException($"piece {id} is of the unknown type {kind}")
            : new ScoredPiece(text, score, (PieceKind)kind);
    }

    private void ReadTrainer(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 3: Kind = reader.Int32(); break;
                case 24: SpaceAsSuffix = reader.Bool(); break;
                case 35: ByteFallback = reader.Bool(); break;
                case 41: Bos = reader.Int32(); break;
                case 42: Eos = reader.Int32(); break;
                case 43: Padding = reader.Int32(); break;
                case 44: UnknownSurface = reader.Text(); break;
                default: reader.Skip(); break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 2: CharsMap = reader.Bytes(); break;
                case 3: AddDummyPrefix = reader.Bool(); break;
                case 4: RemoveExtraSpaces = reader.Bool(); break;
                case 5: EscapeSpaces = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
    }

    private void ReadDenormalizer(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next(out var field))
        {
            if (field == 2)
            {
                HasDenormalizer = reader.Bytes().Length > 0;
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
