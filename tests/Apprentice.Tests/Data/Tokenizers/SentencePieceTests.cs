using Apprentice.Data;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>SentencePiece models that are small enough to see through.</summary>
public sealed class SentencePieceTests
{
    private static readonly (string Text, float Score, PieceKind Kind)[] Plain =
        [("▁", -9, PieceKind.Normal), ("a", -8, PieceKind.Normal), ("b", -7, PieceKind.Normal), ("ab", -2, PieceKind.Normal), ("▁ab", -1, PieceKind.Normal), ("bab", -4, PieceKind.Normal)];

    private static readonly (string Text, float Score, PieceKind Kind)[] Pieces =
        [.. Plain, ("ba", -3, PieceKind.Unused), ("!!", 0, PieceKind.UserDefined)];

    [Theory]
    [InlineData("ab", "▁ab")]
    [InlineData("abab", "▁ab ab")] // the higher score first, the leftmost of equals
    [InlineData("ba", "▁ b a")] // an unused piece falls apart again
    [InlineData("b!!a", "▁ b !! a")] // a user-defined one is never joined
    [InlineData("é", "▁ <0xC3> <0xA9>")]
    [InlineData("A", "▁ a")] // by the charsmap
    public void Pairs_are_joined_by_score(string text, string tokens)
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces, charsMap: true), "tiny");
        var encoding = tokenizer.Encode(text, addSpecialTokens: false);
        Assert.Equal(tokens, string.Join(' ', tokenizer.Tokens(encoding)));
    }

    [Theory]
    [InlineData("abab", "▁ab ab")]
    [InlineData("bab", "▁ bab")]
    [InlineData("a!!b", "▁ a !! b")]
    public void The_best_sum_of_scores_wins(string text, string tokens)
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.Unigram, Pieces), "tiny");
        Assert.Equal(tokens, string.Join(' ', tokenizer.Tokens(tokenizer.Encode(text, addSpecialTokens: false))));
    }

    [Fact]
    public void Without_bytes_neighbouring_unknown_characters_are_one_token()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.Unigram, Pieces, byteFallback: false), "tiny");
        var encoding = tokenizer.Encode("aéöb", addSpecialTokens: false);
        Assert.Equal("▁ a éö b", string.Join(' ', tokenizer.Tokens(encoding)));
        Assert.Equal((1, 3), encoding.Offsets[2]);
        Assert.Equal("a \u2047 b", tokenizer.Decode(encoding.Ids));
    }

    [Fact]
    public void Bytes_of_a_character_appear_together_and_each_has_its_range()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces), "tiny");
        var encoding = tokenizer.Encode("aéb", addSpecialTokens: false);
        Assert.Equal([(0, 0), (0, 1), (1, 2), (1, 2), (2, 3)], encoding.Offsets); // what was put before the text stands for nothing
        var decoder = new StreamingDecoder(tokenizer);
        Assert.Equal(["", "a", "", "", "éb"], encoding.Ids.Select(decoder.Push));
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void Special_tokens_in_text_are_found_unless_it_is_a_strangers()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces), "tiny");
        Assert.Equal((1, 2), (tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([1, 2], tokenizer.Encode("</s>").Ids);
        Assert.DoesNotContain(2, tokenizer.Encode("</s>", encodeSpecialAsText: true).Ids);
    }

    [Fact]
    public void Runs_of_spaces_become_one_where_the_model_says_so()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces, removeExtraSpaces: true), "tiny");
        var encoding = tokenizer.Encode("  ab   ab  ", addSpecialTokens: false);
        Assert.Equal("▁ab ▁ab", string.Join(' ', tokenizer.Tokens(encoding)));
        Assert.Equal([(2, 4), (4, 9)], encoding.Offsets); // white space that was dropped belongs to what is before it
    }

    [Fact]
    public void A_piece_that_is_there_twice_is_refused()
    {
        var error = Assert.Throws<InputException>(() => Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, [.. Pieces, Pieces[1]]), "tiny.model"));
        Assert.Equal(("bad_tokenizer", "tiny.model"), (error.Code, error.File));
        Assert.Contains("'a', is there twice", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Other_kinds_of_models_are_refused_by_number(int kind) => Assert.Contains(
        $"model_type: {kind}", Assert.Throws<InputException>(() => Tokenizer.FromSentencePiece(TinySentencePiece.Model(kind, Pieces), "tiny")).Message, StringComparison.Ordinal);

    [Fact]
    public void What_gguf_cannot_say_is_refused()
    {
        var cleaning = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces, removeExtraSpaces: true), "tiny");
        Assert.Contains("normalizes", Assert.Throws<InputException>(() => cleaning.ToGguf()).Message, StringComparison.Ordinal);
        var unigram = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.Unigram, Pieces), "tiny");
        Assert.Contains("Unigram", Assert.Throws<InputException>(() => unigram.ToGguf()).Message, StringComparison.Ordinal);
        var userDefined = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces), "tiny");
        Assert.Contains("'!!'", Assert.Throws<InputException>(() => userDefined.ToGguf()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gguf_says_the_same_tokenizer()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, Plain), "tiny");
        var vocabulary = tokenizer.ToGguf();
        Assert.Equal(("llama", true), (vocabulary.Model, vocabulary.AddSpacePrefix));
        using var json = new MemoryStream();
        TokenizerJsonWriter.Write(vocabulary, json);
        foreach (var other in new[] { Tokenizer.FromGguf(vocabulary), Tokenizer.FromJson(json.ToArray(), "written") })
        {
            foreach (var text in new[] { "", "ab ba bab", "</s>ab", "é!!a <unk>", "  a" })
            {
                Assert.Equal(tokenizer.Encode(text).Ids, other.Encode(text).Ids);
                Assert.Equal(tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false).Ids, skipSpecialTokens: true), other.Decode(other.Encode(text, addSpecialTokens: false).Ids, skipSpecialTokens: true));
            }
        }
    }

    [Fact]
    public void Equal_scores_cannot_be_said_by_an_order_of_merges()
    {
        var tokenizer = Tokenizer.FromSentencePiece(TinySentencePiece.Model(TinySentencePiece.BytePair, [.. Plain, ("aa", -2, PieceKind.Normal)]), "tiny");
        var error = Assert.Throws<InputException>(() => TokenizerJsonWriter.Write(tokenizer.ToGguf(), new MemoryStream()));
        Assert.Contains("same score", error.Message, StringComparison.Ordinal);
    }
}
