using System.Buffers.Binary;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// The precompiled normalization rules of SentencePiece: a double-array trie over UTF-8 (Aoe 1989, in the layout of
/// darts-clone) whose values are places in a block of texts that end in 0. Every step is checked, since files are not trusted.
/// </summary>
internal sealed class CharsMap
{
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <exception cref="FormatException">The sizes do not fit.</exception>
    public CharsMap(ReadOnlyMemory<byte> blob)
    {
        var bytes = blob.Span;
        var size = bytes.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (size > bytes.Length - 4 || size % 4 != 0 || size == 0)
        {
            throw new FormatException($"a charsmap of {bytes.Length} bytes whose trie would have {size}");
        }

        _units = new uint[size / 4];
        for (var i = 0; i < _units.Length; i++)
        {
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * i))..]);
        }

        _texts = bytes[(4 + (int)size)..].ToArray();
    }

    /// <summary>What a beginning of <paramref name="utf8"/> becomes, and how long that beginning is; null where no rule fits.</summary>
    /// <param name="utf8">Text.</param>
    /// <param name="longest">Whether the longest rule counts or the shortest.</param>
    /// <param name="length">Bytes that the rule takes.</param>
    public string? Find(ReadOnlySpan<byte> utf8, bool longest, out int length)
    {
        length = 0;
        var text = -1;
        var node = Offset(_units[0]);
        for (var i = 0; i < utf8.Length && utf8[i] != 0; i++)
        {
            node ^= utf8[i];
            if (node >= (uint)_units.Length || (_units[node] & (1u << 31 | 0xFF)) != utf8[i])
            {
                break;
            }

            var unit = _units[node];
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 1 && node < (uint)_units.Length)
            {
                (text, length) = ((int)(_units[node] & int.MaxValue), i + 1);
                if (!longest)
                {
                    break;
                }
            }
        }

        return text < 0 ? null : TextAt(text);
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);

    private string TextAt(int at)
    {
        var rest = at < _texts.Length ? _texts.AsSpan(at) : [];
        var end = rest.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
