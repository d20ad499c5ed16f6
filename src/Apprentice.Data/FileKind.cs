namespace Apprentice.Data;

/// <summary>What a file is that was taken for another, told from its first bytes: what downloads and exports often leave.</summary>
/// <param name="Name">As a sentence says it: "this is …".</param>
/// <param name="Remedy">How to come to the right file, or null where that depends on what was wanted.</param>
public sealed record FileKind(string Name, string? Remedy = null)
{
    /// <summary>How many bytes are looked at; fewer will do where the file has no more.</summary>
    public const int HeadLength = 64;

    public static readonly FileKind Gguf = new("a model (GGUF)");

    private static readonly FileKind
        LfsPointer = new("a Git LFS pointer, which only stands for the file", "fetch the file itself: git lfs pull, or download it from its page"),
        WebPage = new("a web page (HTML), saved in place of the file", "download the file itself; the page may say why it was not given, such as a missing login"),
        Zip = new("a ZIP archive or what is built as one, such as .xlsx, .docx and PyTorch's .bin"),
        Gzip = new("a gzip archive", "unpack it first: gunzip, or tar -xzf"),
        Pdf = new("a PDF"),
        Parquet = new("a Parquet file");

    /// <summary>The kind, or null where it is none of these.</summary>
    /// <param name="content">From the first byte; what is beyond <see cref="HeadLength"/> is not looked at.</param>
    public static FileKind? Of(ReadOnlySpan<byte> content)
    {
        var head = content[..Math.Min(content.Length, HeadLength)];
        return head.StartsWith("GGUF"u8) ? Gguf
            : head.StartsWith("version https://git-lfs"u8) ? LfsPointer
            : head.StartsWith("PK\x03\x04"u8) ? Zip
            : head.StartsWith("\x1f"u8) && head.Length > 1 && head[1] == 0x8b ? Gzip
            : head.StartsWith("%PDF-"u8) ? Pdf
            : head.StartsWith("PAR1"u8) ? Parquet
            : IsPage(head) ? WebPage
            : null;
    }

    private static bool IsPage(ReadOnlySpan<byte> head)
    {
        var start = head.IndexOf((byte)'<');
        if (start < 0 || head[..start].ContainsAnyExcept(" \t\r\n\uFEFF"u8))
        {
            return false;
        }

        var text = System.Text.Encoding.ASCII.GetString(head[start..]);
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
    }
}
