using Apprentice.Data;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Data;

public sealed class MissingFileTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("tickets.json", "tickets.jsonl")]
    [InlineData("Tickts.jsonl", "tickets.jsonl")]
    [InlineData("tickets.jsonl/", "tickets.jsonl")]
    [InlineData("dta/rows.jsonl", "data/rows.jsonl")]
    [InlineData("dta/other.jsonl", null)] // the folder alone is not what was wanted
    [InlineData("notes.jsonl", null)] // endings alone make no two names alike
    [InlineData("x", null)]
    [InlineData("data/tickets.jsonl", null)]
    public void What_may_have_been_meant_is_there_and_alike(string typed, string? meant)
    {
        Directory.CreateDirectory(folder.File("data"));
        File.WriteAllText(folder.File("data/rows.jsonl"), "");
        File.WriteAllText(folder.File("tickets.jsonl"), "");
        File.WriteAllText(folder.File("y"), "");
        Assert.Equal(meant is null ? null : folder.File(meant), MissingFile.Near(folder.File(typed)));
    }

    [Fact]
    public void An_empty_folder_has_nothing_to_suggest()
    {
        Assert.Null(MissingFile.Near(folder.File("x.jsonl")));
        Assert.Contains("NAME", MissingFile.Error(folder.Path).Hint, StringComparison.Ordinal);
        Assert.Equal("check the name and the folder", MissingFile.Error(folder.File("x.jsonl")).Hint);
    }
}
