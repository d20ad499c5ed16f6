using System.Buffers.Binary;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>A SentencePiece .model file made on the spot.</summary>
internal sealed class TinySentencePiece
{
    public const int Unigram = 1, BytePair = 2;

    private readonly List<byte> _bytes = [];

    /// <summary>unk, BOS and EOS, the bytes, and the given pieces; "A" becomes "a" where there is a charsmap.</summary>
    public static byte[] Model(int kind, (string Text, float Score, PieceKind Kind)[] pieces, bool byteFallback = true, bool charsMap = false, bool removeExtraSpaces = false)
    {
        var model = new TinySentencePiece();
        foreach (var (text, score, type) in new[] { ("<unk>", 0f, PieceKind.Unknown), ("<s>", 0f, PieceKind.Control), ("</s>", 0f, PieceKind.Control) }
            .Concat(byteFallback ? Enumerable.Range(0, 256).Select(b => (ByteTokens.Name(b), 0f, PieceKind.Byte)) : []).Concat(pieces))
        {
            model.Message(1, new TinySentencePiece().Bytes(1, System.Text.Encoding.UTF8.GetBytes(text)).Float(2, score).Number(3, (ulong)type));
        }

        var normalizer = new TinySentencePiece().Number(4, removeExtraSpaces ? 1ul : 0);
        model.Message(2, new TinySentencePiece().Number(3, (ulong)kind).Number(35, byteFallback ? 1ul : 0));
        model.Message(3, charsMap ? normalizer.Bytes(2, CharsMap()) : normalizer);
        return [.. model._bytes];
    }

    /// <summary>Rules with one rule: "A" becomes "a".</summary>
    public static byte[] CharsMap()
    {
        var units = new uint[0x400];
        units[0] = 0x100 << 10;
        units[0x141] = 0x200 << 10 | 1 << 8 | 'A';
        units[0x341] = 1u << 31;
        var bytes = new byte[4 + (4 * units.Length) + 2];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 4 * units.Length);
        for (var i = 0; i < units.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 + (4 * i)), units[i]);
        }

        bytes[^2] = (byte)'a';
        return bytes;
    }

    private TinySentencePiece Number(int field, ulong value) => Varint((ulong)field << 3).Varint(value);

    private TinySentencePiece Float(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        _bytes.AddRange(BitConverter.GetBytes(value));
        return this;
    }

    private TinySentencePiece Message(int field, TinySentencePiece message) => Bytes(field, [.. message._bytes]);

    private TinySentencePiece Bytes(int field, byte[] bytes)
    {
        Varint((ulong)field << 3 | 2).Varint((ulong)bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    private TinySentencePiece Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.Add((byte)(value | 0x80));
        }

        _bytes.Add((byte)value);
        return this;
    }
}
