using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Data.Tokenizers.Training;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Data.Tokenizers.Training;

public sealed class PlainTextFileTests : IDisposable
{
    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Blocks_are_the_text_and_hold_its_words()
    {
        var text = string.Concat(Enumerable.Range(0, 60_000).Select(i => (i % 7) switch { 0 => "word\n\n", 1 => "  indented\r\n", 2 => "{\"é\": 12}", 3 => "😀 ", 4 => "don't\n", 5 => "\n \n", _ => "漢字 " }));
        var blocks = Blocks("\uFEFF" + text);
        Assert.True(blocks.Count > 2);
        Assert.Equal(text, string.Concat(blocks.Select(b => b.Text)));
        Assert.Equal(Words(text), blocks.SelectMany(b => Words(b.Text)));
        Assert.Equal(1 + blocks[0].Text.Count(c => c == '\n'), blocks[1].Line);
        Assert.Equal(1, blocks[^1].Share);
    }

    [Fact]
    public void A_text_without_line_breaks_is_cut_between_characters()
    {
        var text = "a" + string.Concat(Enumerable.Repeat("😀", 100_000));
        var blocks = Blocks(text);
        Assert.Equal(text, string.Concat(blocks.Select(b => b.Text)));
        Assert.All(blocks, b => Assert.Equal(b.Text, Utf16.Repair(b.Text)));
    }

    [Fact]
    public void An_empty_file_has_no_blocks() => Assert.Empty(Blocks(""));

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        File.WriteAllBytes(scratch.File("t.txt"), [.. "one\ntwo\n"u8, 0xC3]);
        var error = Assert.Throws<InputException>(() => PlainTextFile.Blocks(scratch.File("t.txt")).ToList());
        Assert.Equal("invalid_utf8", error.Code);
        Assert.Equal(scratch.File("t.txt"), error.File);
    }

    private List<(string Text, long Line, double Share)> Blocks(string text)
    {
        File.WriteAllText(scratch.File("t.txt"), text);
        return [.. PlainTextFile.Blocks(scratch.File("t.txt"))];
    }

    private static IEnumerable<string> Words(string text) =>
        PreTokenizer.Run(GgufTokenizer.Splits(GgufTokenizer.FamilyOf(new GgufVocabulary { Model = "gpt2", Pre = TokenizerTrainer.Family, Tokens = [] }, null)), new NormalizedText(text).Whole).Select(p => p.ToString());
}
