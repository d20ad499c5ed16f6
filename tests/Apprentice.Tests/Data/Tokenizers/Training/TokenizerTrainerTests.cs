using Apprentice.Data;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Apprentice.Data.Tokenizers;
using Apprentice.Data.Tokenizers.Training;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Weights;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Tokenizers.Training;

public sealed class TokenizerTrainerTests : IDisposable
{
    private static readonly string[] Phrases =
        ["The card has not arrived.", "{\"intent\": \"lost_card\", \"amount\": 12.50}", "don't worry, it's 2025", "naïve façade 😀", "\tindented\n\n\nline", "漢字かな交じり文", "system", "x = f(y) + 17"];

    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void Any_text_comes_back_whole()
    {
        var tokenizer = Written(Train(Texts(500)));
        Prop.ForAll(AnyText, text =>
        {
            var ids = tokenizer.Encode(text).Ids;
            var plain = tokenizer.Encode(text, encodeSpecialAsText: true).Ids;
            return tokenizer.Decode(ids) == Utf16.Repair(text) && tokenizer.Decode(plain) == Utf16.Repair(text) && !plain.Any(tokenizer.IsSpecial);
        }).QuickCheckThrowOnFailure();
        foreach (var codePoint in Enumerable.Range(0, 0x110000).Where(c => c is < 0xD800 or > 0xDFFF).Where(c => c < 0x3000 || c % 37 == 0))
        {
            var text = char.ConvertFromUtf32(codePoint);
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text).Ids));
        }
    }

    [Fact]
    public void The_file_gives_the_ids_that_the_vocabulary_gives()
    {
        var trained = Train(Texts(500));
        var (direct, written) = (Tokenizer.FromGguf(trained.Vocabulary), Written(trained));
        Prop.ForAll(AnyText, text => direct.Encode(text).Ids.SequenceEqual(written.Encode(text).Ids)).QuickCheckThrowOnFailure();
        Assert.Equal((0, 2, 0), (written.BosId!.Value, written.EosId!.Value, written.PaddingId!.Value));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Threads_do_not_change_it(int threads)
    {
        var file = Texts(150_000); // several batches
        var (one, many) = (Train(file, new() { VocabularySize = 600, Threads = 1 }), Train(file, new() { VocabularySize = 600, Threads = threads }));
        Assert.Equal(one.Vocabulary.Tokens, many.Vocabulary.Tokens);
        Assert.Equal(one.Vocabulary.Merges, many.Vocabulary.Merges);
        Assert.Equal((one.Bytes, one.Tokens, one.Words), (many.Bytes, many.Tokens, many.Words));
    }

    [Fact]
    public void Figures_are_those_of_the_text()
    {
        var trained = Train(Texts(300));
        var texts = DatasetReader.Read(scratch.File("t.jsonl")).Examples.Select(e => e.Text!).ToList();
        var tokenizer = Tokenizer.FromGguf(trained.Vocabulary);
        Assert.Equal(texts.Sum(System.Text.Encoding.UTF8.GetByteCount), trained.Bytes);
        Assert.Equal(texts.Sum(t => tokenizer.Encode(t).Ids.Length), trained.Tokens);
    }

    [Fact]
    public void Digits_stay_alone_and_special_tokens_are_not_learned()
    {
        var trained = Train(Write("t.jsonl", Enumerable.Repeat("""{"text": "in 2025 <|im_end|> and 2025"}""", 50)));
        var learned = trained.Vocabulary.Tokens[(256 + 3)..];
        Assert.DoesNotContain(learned, t => t.Any(char.IsDigit) && t.Length > 1);
        Assert.DoesNotContain(learned, t => t.Contains("im", StringComparison.Ordinal) || t.Contains('|', StringComparison.Ordinal));
    }

    [Fact]
    public void All_formats_and_plain_text_are_read()
    {
        File.WriteAllText(scratch.File("a.txt"), "alpha alpha alpha\n");
        var trained = TokenizerTrainer.Train(
            [
                scratch.File("a.txt"),
                Write("b.jsonl", ["""{"prompt": "beta beta beta", "completion": "gamma gamma gamma"}"""]),
                Write("c.jsonl", ["""{"messages": [{"role": "user", "content": "delta delta delta"}, {"role": "assistant", "content": "omega omega omega"}]}"""]),
            ],
            new());
        Assert.All(new[] { "Ġalpha", "Ġbeta", "Ġgamma", "Ġdelta", "Ġomega" }, word => Assert.Contains(word, trained.Vocabulary.Tokens));
    }

    [Fact]
    public void Words_of_the_template_are_learned_with_it()
    {
        var file = Write("c.jsonl", Enumerable.Repeat("""{"prompt": "x", "completion": "y"}""", 3));
        var template = ChatTemplate.Parse("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}");
        Assert.Contains("assistant", Train(file, new() { Template = template }).Vocabulary.Tokens);
        Assert.DoesNotContain("assistant", Train(file).Vocabulary.Tokens);
    }

    [Fact]
    public void A_template_that_refuses_an_example_names_its_line()
    {
        var file = Write("c.jsonl", ["""{"prompt": "x", "completion": "y"}"""]);
        var error = Assert.Throws<InputException>(() => Train(file, new() { Template = ChatTemplate.Parse("{{ raise_exception('no') }}") }));
        Assert.Equal(("template_raised", file, 1L), (error.Code, error.File, error.Line));
    }

    /// <summary>Of a long and a short file both are learned from.</summary>
    [Fact]
    public void Bytes_are_shared_by_the_files_sizes()
    {
        var (large, small) = (Write("l.jsonl", Enumerable.Repeat("""{"text": "large large"}""", 3000)), Write("s.jsonl", Enumerable.Repeat("""{"text": "small small"}""", 1000)));
        var trained = TokenizerTrainer.Train([large, small], new() { MaxBytes = 4400 });
        Assert.InRange(trained.Bytes, 4400, 4400 + 22);
        Assert.Contains("Ġlarge", trained.Vocabulary.Tokens);
        Assert.Contains("Ġsmall", trained.Vocabulary.Tokens);
    }

    [Fact]
    public void The_rarest_words_go_when_there_are_too_many()
    {
        var examples = Enumerable.Range(0, 3).SelectMany(_ => Enumerable.Range(0, 400)).Select(i => new Example { File = "f", Line = 1, Text = $"often {(char)('a' + (i % 20))}{(char)('a' + (i / 20))}zz" });
        var counter = new WordCounter([new PatternSplit(SplitPatterns.Get(SplitPatterns.Gpt2), SplitBehavior.Isolated)], new AddedTokenFinder([]), 2, maxWords: 100);
        counter.Count(examples, _ => 1 << 21, e => [e.Text!], CancellationToken.None); // each a batch
        Assert.InRange(counter.Words.Count, 50, 100);
        Assert.Equal(1200, counter.Words["often"]);
    }

    [Theory]
    [InlineData("258 tokens", 258, null, new string[] { "<|endoftext|>", "<|im_start|>", "<|im_end|>" })]
    [InlineData("'x' cannot be a special token", 4096, null, new string[] { "x" })]
    [InlineData("'  ' cannot be a special token", 4096, null, new string[] { "  " })]
    [InlineData("is there twice", 4096, null, new string[] { "<a>", "<a>" })]
    [InlineData("say which of them ends a text", 4096, null, new string[] { "<a>" })]
    [InlineData("the end token '<b>' is not among the special tokens: <a>", 4096, "<b>", new string[] { "<a>" })]
    public void Options_that_cannot_be_are_refused(string message, int size, string? eos, string[] special)
    {
        var error = Assert.Throws<InputException>(() => Train(Texts(1), new() { VocabularySize = size, SpecialTokens = special, Eos = eos }));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal("bad_option", error.Code);
    }

    [Fact]
    public void A_file_without_text_is_refused()
    {
        File.WriteAllText(scratch.File("e.txt"), "");
        Assert.Equal("no_examples", Assert.Throws<InputException>(() => Train(scratch.File("e.txt"))).Code);
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => Train(scratch.File("gone.txt"))).Code);
    }

    private static Arbitrary<string> AnyText { get; } = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string>().Select(s => s ?? ""),
        Gen.Elements(Phrases).ListOf().Select(string.Concat),
        Gen.Elements("<|im_end|>", "<|im_", "<|endoftext|>", "e\u0301", "𝒳𐐀", "👩‍👩‍👧", "\uD83D", "\uDE00", "\u0000", "\u0007", "\u200B", "\uFEFF", "\r\n", "  ", "12", " 3", "'s").ListOf().Select(string.Concat)).ToArbitrary();

    private static TrainedTokenizer Train(string file, TokenizerTrainingOptions? options = null) => TokenizerTrainer.Train([file], options ?? new() { VocabularySize = 700 });

    private Tokenizer Written(TrainedTokenizer trained)
    {
        TokenizerFolder.Write(scratch.Path, trained.Vocabulary, template: null);
        return ModelText.FromFolder(scratch.Path).Tokenizer;
    }

    private string Texts(int count) => Write("t.jsonl", Enumerable.Range(0, count).Select(i =>
        System.Text.Json.JsonSerializer.Serialize(new { text = $"{Phrases[i % Phrases.Length]} {Phrases[i * 5 % 7]} {i * 7919 % 1000}" })));

    private string Write(string name, IEnumerable<string> lines)
    {
        File.WriteAllLines(scratch.File(name), lines);
        return scratch.File(name);
    }
}
