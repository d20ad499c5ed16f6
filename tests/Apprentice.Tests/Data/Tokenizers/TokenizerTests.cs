using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Tokenizers;

public sealed class TokenizerTests
{
    private static readonly Tokenizer Tiny = TinyTokenizer.Make();

    [Fact]
    public void DecodingGivesTheTextBackAndOffsetsCoverIt()
    {
        Prop.ForAll(Texts, text =>
        {
            var encoding = Tiny.Encode(text, addSpecialTokens: false, encodeSpecialAsText: true);
            var covered = new bool[text.Length];
            foreach (var (start, end) in encoding.Offsets)
            {
                covered.AsSpan(start, end - start).Fill(true);
            }

            return Tiny.Decode(encoding.Ids) == Utf16.Repair(text) && covered.All(c => c);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AStreamGivesWhatDecodeGives()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), ids =>
        {
            var known = Array.ConvertAll(ids, i => (int)((uint)i * 2654435761 % (uint)(Tiny.VocabularySize + 5)));
            var stream = new StreamingDecoder(Tiny);
            var parts = known.Select(stream.Push).ToList();
            return string.Concat(parts) + stream.Flush() == Tiny.Decode(known)
                && parts.TrueForAll(p => p.Length == 0 || !char.IsHighSurrogate(p[^1]));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void APieceOfATextBetweenSpecialTokensEncodesAsOnItsOwn()
    {
        Prop.ForAll(Texts, text =>
        {
            var apart = text.Replace('<', '(');
            var inner = Tiny.Encode(apart, addSpecialTokens: false).Ids;
            int[] expected = [262, .. inner, 262];
            return Tiny.Encode($"<|end|>{apart}<|end|>", addSpecialTokens: false).Ids.AsSpan().SequenceEqual(expected);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void MergesAreTakenInTheirOrderAndFromTheLeft()
    {
        // "a a" comes before "a b", so an even number of a's leaves none for the b.
        Assert.Equal(["aaaa", "b"], Tokens("aaaab"));
        Assert.Equal(["aa", "ab"], Tokens("aaab"));
        Assert.Equal(["Ġthe", "Ġ", "Ġthe"], Tokens(" the  the"));
    }

    [Fact]
    public void AnAddedTokenTakesTheWhiteSpaceThatItsFlagsSay()
    {
        var encoding = Tiny.Encode("x  <mask> y", addSpecialTokens: false);
        Assert.Equal(["x", "  <mask>", "Ġ", "y"], Tiny.Tokens(encoding));
        Assert.Equal((1, 9), encoding.Offsets[1]);
    }

    [Fact]
    public void CodePointOffsetsCountAstralCharactersOnce()
    {
        var encoding = Tiny.Encode("😀a", addSpecialTokens: false);
        Assert.Equal((2, 3), encoding.Offsets[^1]);
        Assert.Equal((0, 2), encoding.Offsets[0]);
        Assert.Equal((1, 2), encoding.CodePointOffsets("😀a")[^1]);
    }

    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("ab")]
    [InlineData("Aa")]
    [InlineData("<")]
    [InlineData("\r\n")]
    [InlineData("e\u0301")]
    [InlineData("漢")]
    public void AMegabyteWithoutSpacesTakesNoLongerThanItsLength(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 1_000_000 / unit.Length));
        foreach (var pattern in new[] { SplitPatterns.Gpt2, SplitPatterns.Gpt4o })
        {
            var tokenizer = TinyTokenizer.Make(TinyTokenizer.Split(pattern), """{"type":"NFC"}""");
            var watch = ThreadClock.StartNew();
            var encoding = tokenizer.Encode(text);
            Assert.True(watch.Elapsed.TotalSeconds < 20, $"{watch.Elapsed} for {pattern}");
            Assert.Equal(text.Normalize(), tokenizer.Decode(encoding.Ids, skipSpecialTokens: true));
        }
    }

    [Theory]
    [InlineData("(a+a+)+b")]
    [InlineData("(?:a|aa)+b")]
    [InlineData("a*a*a*a*a*b")]
    [InlineData("a*b")]
    [InlineData("(?:(?=a+b)a|a)+c")]
    public void AHostilePatternEndsInAnError(string pattern)
    {
        var tokenizer = TinyTokenizer.Make(TinyTokenizer.Split(pattern));
        var watch = ThreadClock.StartNew();
        var error = Assert.Throws<InputException>(() => tokenizer.Encode(new string('a', 100_000)));
        Assert.Equal("tokenizer_pattern_too_slow", error.Code);
        Assert.True(watch.Elapsed.TotalSeconds < 2, watch.Elapsed.ToString());
    }

    [Theory]
    [InlineData("(?<=a)b", "group")]
    [InlineData(@"\bx", "escape")]
    [InlineData(@"\p{Han}+", "Han")]
    [InlineData("^a", "anchor")]
    [InlineData("(a", "')'")]
    [InlineData("(a*)*", "empty")]
    public void AnUnsupportedPatternIsRefusedByName(string pattern, string named)
    {
        var error = Assert.Throws<InputException>(() => TinyTokenizer.Make(TinyTokenizer.Split(pattern)));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Equal("tiny", error.File);
    }

    [Fact]
    public void AnUnknownFamilyOfGgufIsRefusedByName()
    {
        var error = Assert.Throws<InputException>(() => Tokenizer.FromGguf(new GgufVocabulary { Model = "gpt2", Pre = "nobody", Tokens = ["a"] }, "x.gguf"));
        Assert.Contains("'nobody'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'bert'", Assert.Throws<InputException>(() => Tokenizer.FromGguf(new GgufVocabulary { Model = "bert", Tokens = ["a"] })).Message, StringComparison.Ordinal);
        Assert.Contains("unknown_token_id", Assert.Throws<InputException>(() => Tokenizer.FromGguf(new GgufVocabulary { Model = "llama", Tokens = ["a"] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GgufSaysWhichTokensAreSpecialAndWhetherBosIsAdded()
    {
        string[] bytes = [.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Character((byte)b).ToString())];
        var vocabulary = new GgufVocabulary { Model = "gpt2", Pre = "llama-bpe", Tokens = [.. bytes, "ab", "<s>", "<u>"], Merges = ["a b"], TokenTypes = [.. bytes.Select(_ => 1), 1, 3, 4], Bos = 257 };
        var tokenizer = Tokenizer.FromGguf(vocabulary);
        Assert.Equal([257, 256, 257, 258], tokenizer.Encode("ab<s><u>").Ids);
        Assert.Equal([256, 258], tokenizer.Encode("ab<u>", addSpecialTokens: false).Ids);
        Assert.True(tokenizer.IsSpecial(257));
        Assert.False(tokenizer.IsSpecial(258));
        Assert.Equal([256], Tokenizer.FromGguf(vocabulary with { AddBos = false }).Encode("ab").Ids);
    }

    private static string[] Tokens(string text) => Tiny.Tokens(Tiny.Encode(text, addSpecialTokens: false));

    private static Arbitrary<string> Texts { get; } = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string>().Select(s => s ?? ""),
        Gen.Elements("the", " the", "aaa", "ab", " ", "\n", "é", "e\u0301", "漢", "😀", "\uD83D", "<", "<|end|>", "'s", "12", "\u0000").ListOf().Select(string.Concat)).ToArbitrary();
}
