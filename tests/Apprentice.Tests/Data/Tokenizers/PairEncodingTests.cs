using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>One or two texts in a row, cut to a length.</summary>
public sealed class PairEncodingTests
{
    private static readonly Tokenizer Bert = Tokenizer.FromJson(System.Text.Encoding.UTF8.GetBytes(TinyTokenizer.WordPiece()), "tiny");

    [Fact]
    public void Two_texts_stand_between_their_special_tokens()
    {
        var row = Bert.EncodePair("the aab", "12");
        Assert.Equal([1, 3, 4, 6, 2, 7, 2], row.Ids);
        Assert.Equal([0, 0, 0, 0, 0, 1, 1], row.TypeIds);
        Assert.Equal([1, 0, 0, 0, 1, 0, 1], row.SpecialTokensMask);
        Assert.Empty(row.Overflowing);
    }

    [Fact]
    public void A_single_text_is_as_encode_has_it() => Assert.Equal(Bert.Encode("the aab").Ids, Bert.EncodePair("the aab", null).Ids);

    [Fact]
    public void What_does_not_fit_comes_in_further_windows_that_share_the_stride()
    {
        var row = Bert.EncodePair("a the 12 a the", null, new Truncation(5, Stride: 1));
        Assert.Equal([1, 4, 3, 7, 2], row.Ids);
        Assert.Equal([[1, 7, 4, 3, 2]], row.Overflowing.Select(w => w.Ids));
    }

    [Fact]
    public void From_the_left_the_end_of_the_text_is_kept()
    {
        var row = Bert.EncodePair("a the 12 a the", null, new Truncation(5, FromLeft: true));
        Assert.Equal([1, 7, 4, 3, 2], row.Ids);
        Assert.Equal([[1, 4, 3, 2]], row.Overflowing.Select(w => w.Ids));
    }

    [Fact]
    public void Only_the_text_that_was_named_gives_way()
    {
        var row = Bert.EncodePair("a the", "12 12 12 12", new Truncation(7, Strategy: TruncationStrategy.OnlySecond));
        Assert.Equal([1, 4, 3, 2, 7, 7, 2], row.Ids);
        Assert.Throws<ArgumentException>(() => Bert.EncodePair("a", "12 12 12 12", new Truncation(6, Strategy: TruncationStrategy.OnlyFirst)));
        Assert.Throws<ArgumentException>(() => Bert.EncodePair("a the a the", null, new Truncation(4, Stride: 2)));
    }

    [Fact]
    public void Every_token_is_in_some_window()
    {
        for (var length = 3; length < 12; length++)
        {
            for (var stride = 0; stride < length - 2; stride++)
            {
                foreach (var left in new[] { false, true })
                {
                    var text = string.Join(' ', Enumerable.Repeat("a the 12", 3));
                    var row = Bert.EncodePair(text, null, new Truncation(length, stride, FromLeft: left));
                    var covered = row.Overflowing.Prepend(row).SelectMany(w => w.Offsets).Where(o => o.End > o.Start).Distinct().Count();
                    Assert.Equal(9, covered);
                }
            }
        }
    }
}
