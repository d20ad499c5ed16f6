using System.Text;

namespace Apprentice.Data.Tokenizers.Training;

/// <summary>Reads a text file in blocks, so that its size does not matter.</summary>
internal static class PlainTextFile
{
    /// <summary>Characters a block. A longer stretch without a place to cut is cut anywhere.</summary>
    private const int BlockLength = 1 << 16;

    /// <summary>
    /// Blocks with the one-based line on which they begin and the share of the file before their end. Cut after line
    /// breaks, before anything but white space: there a new word begins (<see cref="TokenizerTrainer.Family"/>), so the words
    /// are those of the whole text.
    /// </summary>
    /// <exception cref="InputException">Code <c>invalid_utf8</c>, with the line on which the block begins that holds it, or <c>unreadable_file</c>.</exception>
    public static IEnumerable<(string Text, long Line, double Share)> Blocks(string file)
    {
        using var stream = Open(file);
        using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        var buffer = new char[BlockLength];
        var (kept, line) = (0, 1L);
        for (var first = true; ; first = false)
        {
            var end = kept + Read(reader, buffer.AsSpan(kept), file, line);
            if (end == 0)
            {
                yield break;
            }

            var cut = end < buffer.Length ? end : Cut(buffer);
            var start = first && buffer[0] == '\uFEFF' ? 1 : 0;
            yield return (new string(buffer, start, cut - start), line, (double)stream.Position / stream.Length);
            line += buffer.AsSpan(0, cut).Count('\n');
            buffer.AsSpan(cut, end - cut).CopyTo(buffer);
            kept = end - cut;
        }
    }

    private static int Cut(ReadOnlySpan<char> block)
    {
        for (var at = block.Length - 1; at > block.Length / 2; at--)
        {
            if (block[at - 1] is '\n' or '\r' && !char.IsWhiteSpace(block[at]))
            {
                return at;
            }
        }

        return char.IsHighSurrogate(block[^1]) ? block.Length - 1 : block.Length;
    }

    private static int Read(StreamReader reader, Span<char> into, string file, long line)
    {
        try
        {
            return reader.ReadBlock(into);
        }
        catch (DecoderFallbackException)
        {
            throw new InputException("invalid_utf8", $"the text is not UTF-8 from line {line} on, or soon after it", file, line, "save it again as UTF-8");
        }
    }

    private static FileStream Open(string file)
    {
        try
        {
            return File.OpenRead(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException("unreadable_file", $"the data file '{file}' cannot be read: {e.Message}", file);
        }
    }
}
