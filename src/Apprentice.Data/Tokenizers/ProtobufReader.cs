using System.Buffers.Binary;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Reads the fields of a Protocol Buffers message one after the other. Every length is checked against what is there;
/// what does not fit is a <see cref="FormatException"/> that says where.
/// </summary>
internal ref struct ProtobufReader(ReadOnlyMemory<byte> message)
{
    private readonly ReadOnlyMemory<byte> _message = message;
    private int _at;
    private int _wire;

    /// <summary>Moves on to the next field; false at the end.</summary>
    public bool Next(out int field)
    {
        field = 0;
        if (_at == _message.Length)
        {
            return false;
        }

        var key = Varint();
        (field, _wire) = ((int)Math.Min(key >> 3, int.MaxValue), (int)(key & 7));
        return field > 0 ? true : throw Broken("a field number");
    }

    public bool Bool() => Number() != 0;

    public int Int32() => unchecked((int)Number());

    public float Single() => _wire == 5 ? BinaryPrimitives.ReadSingleLittleEndian(Take(4).Span) : throw Broken("a 32-bit number");

    public ReadOnlyMemory<byte> Bytes() => _wire == 2 ? Take(Varint()) : throw Broken("a length");

    public string Text()
    {
        var bytes = Bytes();
        return System.Text.Unicode.Utf8.IsValid(bytes.Span) ? System.Text.Encoding.UTF8.GetString(bytes.Span) : throw Broken("UTF-8");
    }

    public void Skip()
    {
        switch (_wire)
        {
            case 0: Varint(); break;
            case 1: Take(8); break;
            case 2: Take(Varint()); break;
            case 5: Take(4); break;
            default: throw Broken("a field of a known kind");
        }
    }

    private ulong Number() => _wire == 0 ? Varint() : throw Broken("a number");

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Take(1).Span[0];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw Broken("a number of at most 10 bytes");
    }

    private ReadOnlyMemory<byte> Take(ulong count)
    {
        if (count > (ulong)(_message.Length - _at))
        {
            throw Broken($"{count} more bytes");
        }

        var taken = _message.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }

    private readonly FormatException Broken(string expected) => new($"expected {expected} at byte {_at} of {_message.Length}");
}
