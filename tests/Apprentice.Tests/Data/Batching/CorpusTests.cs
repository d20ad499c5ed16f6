using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Data.Batching;

/// <summary>Documents to tokens, and tokens to steps.</summary>
public sealed class CorpusTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly ModelText _text;

    public CorpusTests() => _text = ModelText.FromFolder(TinyModel.Folder(_scratch));

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_document_of_any_format_ends_with_the_end_token_once()
    {
        var corpus = Encode(
            """{"text":"the end"}""",
            """{"prompt":"ask","completion":"say"}""",
            """{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},{"role":"assistant","content":"d"}]}""");
        Assert.Equal(3, corpus.Documents);
        Assert.Equal(["<|end|>the end<|end|>", "[user]ask<|end|>\n[assistant]say<|end|>", "[user]é<|end|>\n[assistant]b<|end|>\n[user]c<|end|>\n[assistant]d<|end|>"],
            Enumerable.Range(0, 3).Select(i => _text.Tokenizer.Decode(corpus.Document(i))));

        // Bytes of the text: "the end", then what the template writes but its special tokens.
        Assert.Equal("the end".Length + "[user]ask\n[assistant]say".Length + "[user]é\n[assistant]b\n[user]c\n[assistant]d".Length + 1, corpus.Bytes);
        Assert.Equal(corpus.Tokens, Enumerable.Range(0, 3).Sum(i => corpus.Document(i).Length));
    }

    [Fact]
    public void Without_the_template_prompt_and_completion_are_joined()
    {
        var file = Write("""{"prompt":"ask ","completion":"say"}""");
        var corpus = _text.CorpusEncoder(raw: true).Encode([file]);
        Assert.Equal("<|end|>ask say<|end|>", _text.Tokenizer.Decode(corpus.Document(0)));
    }

    [Fact]
    public void The_first_of_several_mistakes_is_told_whatever_the_threads()
    {
        var lines = Enumerable.Range(0, 3000).Select(i => i is 1500 or 2900 ? """{"txet":""}""" : $$"""{"text":"line {{i}}"}""").ToArray();
        var error = Assert.Throws<InputException>(() => Encode(lines));
        Assert.Equal(("unknown_format", 1501L), (error.Code, error.Line));
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_tokens()
    {
        var file = Write([.. Enumerable.Range(0, 2000).Select(i => $$"""{"text":"document {{i}} {{new string('a', i % 17)}}"}""")]);
        var one = _text.CorpusEncoder().Encode([file, file], threads: 1);
        var four = _text.CorpusEncoder().Encode([file, file], threads: 4);
        Assert.Equal(4000, one.Documents);
        Assert.Equal(one.Tokens, four.Tokens);
        Assert.All(Enumerable.Range(0, 4000), i => Assert.Equal(one.Document(i).ToArray(), four.Document(i).ToArray()));
    }

    [Theory]
    [InlineData(8, 16)]
    [InlineData(30, 100)]
    [InlineData(256, 256)]
    public void A_pass_predicts_every_token_but_the_first_of_a_document_once(int maxLength, int stepTokens)
    {
        var corpus = Encode([.. Enumerable.Range(0, 40).Select(i => $$"""{"text":"{{i}} {{new string((char)('b' + i % 20), 1 + i * 7 % 90)}}"}""")]);
        var order = new CorpusOrder(corpus, maxLength, stepTokens, seed: 3, RandomStream.EpochOrder);
        var seen = order.InOrder();
        Assert.All(seen, piece => Assert.InRange(piece.Ids.Length, 2, maxLength));
        Assert.Equal(corpus.Tokens - corpus.Documents, seen.Sum(piece => piece.Supervised));
        Assert.Equal(order.PassTokens, seen.Sum(piece => (long)piece.Ids.Length));

        // Three passes by steps hold every piece three times, and each step about its tokens.
        var steps = Enumerable.Range(0, (int)(3 * order.PassTokens / stepTokens)).Select(s => order.Step(s)).ToArray();
        Assert.All(steps, s => Assert.InRange(s.Sum(p => p.Ids.Length), stepTokens - maxLength, stepTokens + maxLength));
        var counted = steps.SelectMany(s => s).CountBy(p => string.Join(',', p.Ids)).Sum(c => c.Value);
        Assert.InRange(counted, 3 * seen.Count - 1 - stepTokens / 2, 3 * seen.Count);
    }

    [Fact]
    public void A_step_is_a_function_of_its_number_and_the_seed()
    {
        var corpus = Encode([.. Enumerable.Range(0, 50).Select(i => $$"""{"text":"document number {{i}}"}""")]);
        var order = new CorpusOrder(corpus, 32, 64, seed: 3, RandomStream.EpochOrder);
        var forward = Enumerable.Range(0, 60).Select(s => Ids(order, s)).ToArray();
        var again = new CorpusOrder(corpus, 32, 64, seed: 3, RandomStream.EpochOrder);
        Assert.All(Enumerable.Range(0, 60).Reverse(), s => Assert.Equal(forward[s], Ids(again, s)));
        Assert.NotEqual(forward[0], Ids(new CorpusOrder(corpus, 32, 64, seed: 4, RandomStream.EpochOrder), 0));
        Assert.NotEqual(forward[0], Ids(new CorpusOrder(corpus, 32, 64, seed: 3, RandomStream.AnnealOrder), 0));
    }

    private static string[] Ids(CorpusOrder order, int step) => [.. order.Step(step).Select(p => string.Join(',', p.Ids))];

    private TokenCorpus Encode(params string[] lines) => _text.CorpusEncoder().Encode([Write(lines)]);

    private string Write(params string[] lines)
    {
        var file = _scratch.File("corpus.jsonl");
        File.WriteAllLines(file, lines);
        return file;
    }
}
