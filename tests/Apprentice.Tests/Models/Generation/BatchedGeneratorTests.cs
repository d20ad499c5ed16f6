using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Generation;

/// <summary>Answers that share steps and caches are, bit for bit, those given alone.</summary>
public sealed class BatchedGeneratorTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly LoadedModel _model;

    public BatchedGeneratorTests() => _model = LoadedModel.Open(TinyModel.Folder(_scratch, seed: 3));

    public void Dispose()
    {
        _model.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task Answers_are_the_same_to_the_last_bit_alone_and_in_company()
    {
        var prompts = Prompts(24);
        var alone = new List<Answer>();
        foreach (var (prompt, i) in prompts.Select((p, i) => (p, i)))
        {
            using var own = new BatchedGenerator(_model, new BatchOptions { Threads = 1, CacheTokens = 512 });
            alone.Add(await Run(own, prompt, Options(i)));
        }

        foreach (var options in new[] { new BatchOptions(), new BatchOptions { Parallel = 5, Threads = 2 }, new BatchOptions { CacheTokens = 600, Threads = 1 } })
        {
            using var shared = new BatchedGenerator(_model, options);
            for (var round = 0; round < 2; round++)
            {
                var together = await Task.WhenAll(prompts.Select((p, i) => Task.Run(() => Run(shared, p, Options(i)))));
                Assert.Equal(alone.Select(a => a.Text), together.Select(a => a.Text));
                Assert.Equal(alone.Select(a => a.Scores), together.Select(a => a.Scores));
                Assert.Equal(alone.Select(a => a.End.Reason), together.Select(a => a.End.Reason));
            }

            await Until(() => shared.Statistics is { Active: 0, Waiting: 0 });
            Assert.True(shared.Statistics.ReusedTokens > 0);
        }
    }

    [Fact]
    public async Task The_log_probabilities_are_those_of_the_whole_sequence_in_one_pass()
    {
        using var generator = new BatchedGenerator(_model);
        using var engine = new Engine(1);
        foreach (var prompt in Prompts(6))
        {
            var answer = await Run(generator, prompt, new SamplingOptions { MaxTokens = 30, Temperature = 1, Seed = 5, LogProbabilities = 3 });
            int[] ids = [.. prompt, .. answer.Tokens.Select(t => t.Token.Id)];
            using var tape = new Tape(engine, recording: false);
            var logits = _model.Model.Logits(tape, _model.Model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))))).ToArray();
            foreach (var (token, i) in answer.Tokens.Select((t, i) => (t, i)))
            {
                var row = logits.AsSpan((prompt.Length + i - 1) * _model.Model.Vocabulary, _model.Model.Vocabulary).ToArray();
                var logSum = Math.Log(row.Sum(l => Math.Exp(l)));
                Assert.Equal(row[token.Token.Id] - logSum, token.Token.LogProbability, 1e-4);
                Assert.Equal(row.OrderDescending().Take(3).Select(l => l - logSum), token.Top.Select(t => t.LogProbability), (a, b) => Math.Abs(a - b) < 1e-4);
            }
        }
    }

    [Fact]
    public async Task A_prompt_that_begins_as_an_earlier_one_is_not_computed_again()
    {
        using var generator = new BatchedGenerator(_model);
        var prompt = Prompts(1, length: 150)[0];
        var first = await Run(generator, prompt, Options(0));
        var second = await Run(generator, prompt, Options(0));
        var longer = await Run(generator, [.. prompt, 7, 8, 9], Options(0));
        int[] others = [1, .. prompt[1..]];
        Assert.Equal([0, 128, 128, 0], new[] { first, second, longer, await Run(generator, others, Options(0)) }.Select(a => a.End.CachedTokens));
        Assert.Equal(first.Scores, second.Scores);

        // Of a prompt of whole blocks the last one is computed, for its logits.
        await Run(generator, prompt[..128], Options(0));
        Assert.Equal(64, (await Run(generator, prompt[..128], Options(0))).End.CachedTokens);
    }

    [Fact]
    public async Task Whoever_leaves_makes_room()
    {
        using var generator = new BatchedGenerator(_model, new BatchOptions { CacheTokens = 256 });
        using var cancel = new CancellationTokenSource();
        var endless = new SamplingOptions { MaxTokens = 200, LogitBias = new Dictionary<int, double> { [TinyModel.End] = -100 } };
        var left = generator.Generate([1, 2, 3], endless, cancel.Token).GetAsyncEnumerator();
        Assert.True(await left.MoveNextAsync());
        var waiting = Run(generator, [4, 5], endless); // there is no room for it beside the other
        await Until(() => generator.Statistics is { Active: 1, Waiting: 1 });
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await left.MoveNextAsync())
            {
            }
        });
        Assert.Equal(200, (await waiting).End.CompletionTokens);

        await foreach (var piece in generator.Generate([1, 2, 3], endless))
        {
            break; // who stops listening leaves, too
        }

        await Until(() => generator.Statistics is { Active: 0, Waiting: 0 });
    }

    [Fact]
    public async Task Penalties_and_bias_change_what_is_chosen()
    {
        using var generator = new BatchedGenerator(_model);
        var plain = new SamplingOptions { MaxTokens = 40, LogProbabilities = 0, LogitBias = new Dictionary<int, double> { [TinyModel.End] = -100 } };
        int Most(Answer answer) => answer.Tokens.GroupBy(t => t.Token.Id).Max(g => g.Count());
        var free = await Run(generator, [1, 2, 3], plain);
        Assert.True(Most(free) > 3);
        Assert.True(Most(await Run(generator, [1, 2, 3], plain with { FrequencyPenalty = 2 })) < Most(free));
        Assert.Equal(40, (await Run(generator, [1, 2, 3], plain with { PresencePenalty = 2 })).End.CompletionTokens);
        var forced = await Run(generator, [1, 2, 3], plain with { LogitBias = new Dictionary<int, double> { [65] = 100 } });
        Assert.All(forced.Tokens, t => Assert.Equal(65, t.Token.Id));
    }

    [Fact]
    public async Task What_cannot_be_answered_is_refused_and_the_rest_goes_on()
    {
        using var generator = new BatchedGenerator(_model);
        Assert.Equal("empty_prompt", (await Assert.ThrowsAsync<InputException>(() => Run(generator, [], new SamplingOptions()))).Code);
        Assert.Equal("prompt_too_long", (await Assert.ThrowsAsync<InputException>(() => Run(generator, new int[256], new SamplingOptions()))).Code);
        Assert.Equal("bad_option", (await Assert.ThrowsAsync<InputException>(() => Run(generator, [1], new SamplingOptions { Temperature = -1 }))).Code);
        await Assert.ThrowsAnyAsync<Exception>(() => Run(generator, [int.MaxValue], new SamplingOptions())); // no such token
        Assert.Equal(FinishReason.Length, (await Run(generator, new int[255], new SamplingOptions { MaxTokens = 9, LogitBias = new Dictionary<int, double> { [TinyModel.End] = -100 } })).End.Reason);
    }

    [Fact]
    public async Task The_end_of_the_generator_ends_its_answers()
    {
        var generator = new BatchedGenerator(_model);
        var answers = Enumerable.Range(0, 5).Select(i => Run(generator, [i], new SamplingOptions { MaxTokens = 250, LogitBias = new Dictionary<int, double> { [TinyModel.End] = -100 } })).ToArray();
        generator.Dispose();
        foreach (var answer in answers)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => answer);
        }
    }

    private static SamplingOptions Options(int i) => new() { MaxTokens = 5 + 3 * (i % 9), Temperature = i % 3 == 0 ? 0 : 1, Seed = i, LogProbabilities = 2 };

    /// <summary>Of many lengths; some begin alike.</summary>
    private static int[][] Prompts(int count, int? length = null)
    {
        var random = new CounterRandom(9, RandomStream.Sampling);
        int[] Tokens(int from, int n) => [.. Enumerable.Range(0, n).Select(j => random.Below(262, (ulong)(1000 * from + j)))];
        return [.. Enumerable.Range(0, count).Select(i => length is { } fixedLength ? Tokens(i, fixedLength) : i % 2 == 0 ? Tokens(i, 1 + 9 * i) : [.. Tokens(50 + i % 4 / 2, 130), .. Tokens(i, 1 + i)])];
    }

    private static async Task<Answer> Run(BatchedGenerator generator, int[] prompt, SamplingOptions options)
    {
        var (text, tokens) = ("", new List<TokenLogProbability>());
        await foreach (var piece in generator.Generate(prompt, options))
        {
            text += piece.Text;
            tokens.AddRange(piece.LogProbabilities);
            if (piece.End is { } end)
            {
                return new Answer(text, tokens, end);
            }
        }

        throw new InvalidOperationException("the answer had no end");
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; !condition() && i < 1000; i++)
        {
            await Task.Delay(10);
        }

        Assert.True(condition());
    }

    private sealed record Answer(string Text, IReadOnlyList<TokenLogProbability> Tokens, GenerationEnd End)
    {
        /// <summary>Every bit of every number.</summary>
        public string Scores => string.Join(' ', Tokens.SelectMany(t => t.Top.Prepend(t.Token)).Select(t => $"{t.Id}:{BitConverter.DoubleToInt64Bits(t.LogProbability):x}"));
    }
}
