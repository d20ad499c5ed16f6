using System.Numerics;
using System.Runtime.InteropServices;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Remembers the tokens of short words. A fixed number of slots, a newer word replacing an older one in its slot, so
/// that memory is bounded without bookkeeping. Slots are read and written whole, so threads need no lock.
/// </summary>
internal sealed class WordCache
{
    private const int SlotBits = 15;
    private const int LongestWord = 48;
    private readonly Entry?[] _slots = new Entry?[1 << SlotBits];

    public Word? Find(ReadOnlySpan<char> text) =>
        text.Length <= LongestWord && _slots[Slot(text)] is { } entry && text.SequenceEqual(entry.Text) ? entry.Word : null;

    public void Add(ReadOnlySpan<char> text, Word word)
    {
        if (text.Length <= LongestWord)
        {
            _slots[Slot(text)] = new Entry(text.ToString(), word);
        }
    }

    // Much cheaper than the hash of a dictionary. Words made to collide only push one another out.
    private static int Slot(ReadOnlySpan<char> text)
    {
        var hash = (ulong)text.Length;
        var blocks = MemoryMarshal.Cast<char, ulong>(text);
        foreach (var block in blocks)
        {
            hash = (BitOperations.RotateLeft(hash, 29) ^ block) * 0x9E3779B97F4A7C15;
        }

        foreach (var c in text[(blocks.Length * 4)..])
        {
            hash = (BitOperations.RotateLeft(hash, 29) ^ c) * 0x9E3779B97F4A7C15;
        }

        return (int)(hash >> (64 - SlotBits));
    }

    private sealed record Entry(string Text, Word Word);
}
