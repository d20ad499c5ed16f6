using Apprentice.Models.Generation;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Models.Generation;

public class StopMatcherTests
{
    // Two letters and short texts, so that stop strings overlap themselves, each other and the cuts.
    private static readonly Gen<string> Letters = Gen.Choose(0, 1).Select(i => "ab"[i]).ListOf().Select(string.Concat);

    private static readonly Gen<(string[] Stops, string[] Pieces)> Cases =
        from stops in Letters.Where(s => s.Length is > 0 and < 6).ListOf(3)
        from pieces in Letters.ListOf(6)
        select (stops.ToArray(), pieces.ToArray());

    [Fact]
    public void Streaming_equals_the_whole_text_cut_at_the_first_stop() => Check.QuickThrowOnFailure(
        Prop.ForAll(Cases.ToArbitrary(), c => Stream(c.Stops, c.Pieces) == Cut(string.Concat(c.Pieces), c.Stops)));

    [Fact]
    public void What_is_shown_is_never_taken_back_nor_held_without_reason() => Check.QuickThrowOnFailure(
        Prop.ForAll(Cases.ToArbitrary(), c =>
        {
            var matcher = new StopMatcher(c.Stops);
            string text = "", shown = "";
            foreach (var piece in c.Pieces)
            {
                text += piece;
                shown += matcher.Push(piece);
                if (matcher.Matched is null && !c.Stops.Any(s => s.StartsWith(text[shown.Length..], StringComparison.Ordinal)))
                {
                    return false;
                }
            }

            return true;
        }));

    [Fact]
    public void Without_stop_strings_everything_passes_at_once() => Assert.Equal("hello", new StopMatcher([]).Push("hello"));

    [Fact]
    public void Nothing_comes_after_a_stop()
    {
        var matcher = new StopMatcher(["\n\n"]);
        Assert.Equal("one", matcher.Push("one\n"));
        Assert.Equal("", matcher.Push("\ntwo"));
        Assert.Equal("\n\n", matcher.Matched);
        Assert.Equal("", matcher.Push("three"));
        Assert.Equal("", matcher.Finish());
    }

    private static string Stream(string[] stops, string[] pieces)
    {
        var matcher = new StopMatcher(stops);
        var shown = string.Concat(pieces.Select(matcher.Push).ToList());
        return shown + matcher.Finish();
    }

    // The definition, on the whole text.
    private static string Cut(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var found = stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length);
            if (found is not null)
            {
                return text[..(end - found.Length)];
            }
        }

        return text;
    }
}
