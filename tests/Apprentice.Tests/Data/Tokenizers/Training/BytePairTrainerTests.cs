using Apprentice.Data.Tokenizers;
using Apprentice.Data.Tokenizers.Training;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Tokenizers.Training;

public sealed class BytePairTrainerTests
{
    /// <summary>Worked by hand. Equal counts: the lower ids win, and a byte's id is its value.</summary>
    [Theory]
    [InlineData("ab:3 abc:2 bc:1", "a b,ab c,b c", 1)] // ab 5, bc 3; then (ab,c) 2, bc 1
    [InlineData("ab:3 abc:2 bc:1", "a b,ab c", 2)]
    [InlineData("ba:2 ab:2", "a b,b a", 1)] // a tie
    [InlineData("aaa:1", "a a,aa a", 1)] // counted twice, joined once, from the left
    [InlineData("aaaa:1 b:9", "a a,aa aa", 1)]
    [InlineData("low:5 lower:2 newest:6 widest:3", "e s,es t,l o,lo w,e w,n ew,new est,d est,i dest,w idest,e r,low er", 1)] // Sennrich et al.'s example, without their end of word
    [InlineData("é:2", "Ã ©", 1)]
    [InlineData("a:9 b:9", "", 1)]
    public void Merges_are_the_ones_worked_by_hand(string words, string merges, int minimumFrequency)
    {
        var counts = words.Split(' ').Select(w => w.Split(':')).ToDictionary(w => w[0], w => long.Parse(w[1], System.Globalization.CultureInfo.InvariantCulture));
        var trainer = Learn(counts, 300, minimumFrequency);
        Assert.Equal(merges, string.Join(',', trainer.Merges));
        Assert.Equal(256 + trainer.Merges.Count, trainer.Tokens.Count);
    }

    [Fact]
    public void A_token_is_never_named_as_a_special_one()
    {
        var trainer = new BytePairTrainer(new Dictionary<string, long> { [" a"] = 5, ["bc"] = 1 }, ["Ġa", "<|x|>"]);
        trainer.Learn(300, 1, _ => { }, CancellationToken.None);
        Assert.Equal(["b c"], trainer.Merges);
        Assert.Equal(["Ġa", "<|x|>"], trainer.Tokens.Take(2));
    }

    [Fact]
    public void Counting_anew_after_each_merge_gives_the_same() =>
        Prop.ForAll(Words, Gen.Choose(1, 3).ToArbitrary(), (words, minimumFrequency) =>
            Learn(words, 300, minimumFrequency).Merges.SequenceEqual(Naive(words, 300, minimumFrequency))).QuickCheckThrowOnFailure();

    /// <summary>Training and encoding join alike: what a word became in training is what the tokenizer makes of it.</summary>
    [Fact]
    public void A_word_encodes_as_it_was_learned() => Prop.ForAll(Words, words =>
    {
        var trainer = Learn(words, 300, 1);
        var tokenizer = Tokenizer.FromGguf(new GgufVocabulary { Model = "gpt2", Pre = TokenizerTrainer.Family, Tokens = [.. trainer.Tokens], Merges = [.. trainer.Merges] });
        return trainer.Tokens.Distinct().Count() == trainer.Tokens.Count
            && trainer.TokenCount == words.Sum(w => w.Value * tokenizer.Encode(w.Key).Ids.Length)
            && trainer.ByteCount == words.Sum(w => w.Value * System.Text.Encoding.UTF8.GetByteCount(w.Key));
    }).QuickCheckThrowOnFailure();

    private static Arbitrary<Dictionary<string, long>> Words { get; } = (
        from words in (from letters in Gen.Elements("a", "b", "c", "é", "aa", "ab").NonEmptyListOf() select string.Concat(letters)).NonEmptyListOf()
        from counts in Gen.Choose(1, 4).ArrayOf(words.Count)
        select words.Zip(counts).DistinctBy(w => w.First).ToDictionary(w => w.First, w => (long)w.Second)).ToArbitrary();

    private static BytePairTrainer Learn(IReadOnlyDictionary<string, long> words, int vocabularySize, int minimumFrequency)
    {
        var trainer = new BytePairTrainer(words, []);
        trainer.Learn(vocabularySize, minimumFrequency, _ => { }, CancellationToken.None);
        return trainer;
    }

    /// <summary>The definition, in the square of the work.</summary>
    private static List<string> Naive(IReadOnlyDictionary<string, long> counts, int vocabularySize, int minimumFrequency)
    {
        var tokens = Enumerable.Range(0, 256).Select(b => ByteAlphabet.Character((byte)b).ToString()).ToList();
        var words = counts.Select(w => (Ids: System.Text.Encoding.UTF8.GetBytes(w.Key).Select(b => (int)b).ToList(), Count: w.Value)).ToList();
        var merges = new List<string>();
        while (tokens.Count < vocabularySize)
        {
            var pairs = words.SelectMany(w => w.Ids.Zip(w.Ids.Skip(1), (left, right) => (left, right, w.Count))).GroupBy(p => (p.left, p.right))
                .Select(g => (Pair: g.Key, Count: g.Sum(p => p.Count))).Where(p => p.Count >= minimumFrequency).ToList();
            if (pairs.Count == 0)
            {
                break;
            }

            var (left, right) = pairs.OrderByDescending(p => p.Count).ThenBy(p => p.Pair.left).ThenBy(p => p.Pair.right).First().Pair;
            merges.Add($"{tokens[left]} {tokens[right]}");
            tokens.Add(tokens[left] + tokens[right]);
            foreach (var (ids, _) in words)
            {
                for (var i = 0; i + 1 < ids.Count; i++)
                {
                    if (ids[i] == left && ids[i + 1] == right)
                    {
                        ids[i] = tokens.Count - 1;
                        ids.RemoveAt(i + 1);
                    }
                }
            }
        }

        return merges;
    }
}
