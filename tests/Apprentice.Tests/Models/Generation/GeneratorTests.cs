using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Models.Generation;

/// <summary>Cached and batched computation gives what one pass over one whole sequence gives.</summary>
public sealed class GeneratorTests : IDisposable
{
    private readonly Engine _engine = new(2);
    private readonly Llama _model = TinyModel.Make();

    public void Dispose()
    {
        _engine.Dispose();
        _model.Dispose();
    }

    /// <summary>Several sequences, each cut into prefill and decoding steps anywhere, all steps of the same number in one batch.</summary>
    [Fact]
    public void Any_cut_into_steps_gives_the_same_logits() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(40),
        Prop.ForAll(
            Gen.Choose(0, 264).NonEmptyListOf().Select(ids => ids.Take(24).ToArray()).NonEmptyListOf().Select(s => s.Take(4).ToArray()).ToArbitrary(),
            Gen.Choose(1, 9).ListOf(32).Select(l => l.ToArray()).ToArbitrary(),
            (sequences, cuts) =>
            {
                var cached = Cached(sequences, cuts);
                for (var i = 0; i < sequences.Length; i++)
                {
                    Close(Whole(sequences[i]), cached[i]);
                }
            }));

    [Fact]
    public void Many_prompts_at_once_answer_as_one_by_one()
    {
        var random = new CounterRandom(5, RandomStream.Sampling);
        int[][] prompts = [.. Enumerable.Range(0, 9).Select(i => Enumerable.Range(0, 1 + 3 * i).Select(j => random.Below(265, (ulong)(100 * i + j))).ToArray())];
        foreach (var temperature in new[] { 0, 0.8 })
        {
            var requests = prompts.Select((p, i) => new GenerationRequest(
                p, new SamplingOptions { MaxTokens = 3 + 2 * i, Temperature = temperature, Seed = i }, new HashSet<int> { 17, 90, 200 })).ToArray();
            var alone = requests.Select(r => Answers([r], slots: 1)[0]).ToArray();
            Assert.Equal(alone, Answers(requests, slots: 32));
            Assert.Equal(alone, Answers(requests, slots: 2)); // slots are used again
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_answer_and_another_another()
    {
        string Answer(long seed) => Answers([new GenerationRequest([1, 2, 3], new SamplingOptions { MaxTokens = 20, Temperature = 1, Seed = seed }, new HashSet<int>())], 1)[0];
        Assert.Equal(Answer(4), Answer(4));
        Assert.NotEqual(Answer(4), Answer(5));
    }

    [Fact]
    public void An_empty_prompt_is_refused() => Assert.Equal(
        "empty_prompt", Assert.Throws<InputException>(() => Answers([new GenerationRequest([], new SamplingOptions(), new HashSet<int>())], 1)).Code);

    private string[] Answers(GenerationRequest[] requests, int slots)
    {
        var answers = requests.Select(_ => new List<string>()).ToArray();
        new Generator(_model, _engine, slots: slots).Run(
            requests,
            (i, token) =>
            {
                answers[i].Add($"{token}");
                return true;
            },
            (i, reason) => answers[i].Add($"{reason}"));
        return [.. answers.Select(a => string.Join(' ', a))];
    }

    private float[] Whole(int[] ids)
    {
        using var tape = new Tape(_engine, recording: false);
        return _model.Logits(tape, _model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))))).ToArray();
    }

    /// <summary>The logits of all tokens of each sequence, computed in steps over one cache.</summary>
    private float[][] Cached(int[][] sequences, int[] cuts)
    {
        var cache = _model.NewCache(sequences.Sum(s => s.Length));
        var starts = sequences.Select((_, i) => sequences.Take(i).Sum(s => s.Length)).ToArray();
        var done = new int[sequences.Length];
        var logits = sequences.Select(_ => new List<float>()).ToArray();
        for (var step = 0; sequences.Where((s, i) => done[i] < s.Length).Any(); step++)
        {
            var (ids, rows, segments, takers) = (new List<int>(), new List<int>(), new List<Segment>(), new List<(int Sequence, int Count)>());
            for (var i = 0; i < sequences.Length; i++)
            {
                var count = Math.Min(cuts[(step + 7 * i) % cuts.Length], sequences[i].Length - done[i]);
                if (count == 0)
                {
                    continue;
                }

                var parent = -1;
                if (done[i] > 0)
                {
                    parent = segments.Count;
                    segments.Add(new Segment(starts[i], done[i], Cached: true));
                }

                segments.Add(new Segment(ids.Count, count, done[i], parent));
                ids.AddRange(sequences[i].Skip(done[i]).Take(count));
                rows.AddRange(Enumerable.Range(starts[i] + done[i], count));
                takers.Add((i, count));
                done[i] += count;
            }

            using var tape = new Tape(_engine, recording: false);
            var hidden = _model.Forward(tape, new ForwardInput([.. ids], new Segments([.. segments])) { Cache = cache, CacheRows = [.. rows] });
            var values = _model.Logits(tape, hidden).ToArray();
            var at = 0;
            foreach (var (sequence, count) in takers)
            {
                logits[sequence].AddRange(values[(at * _model.Vocabulary)..((at + count) * _model.Vocabulary)]);
                at += count;
            }
        }

        return [.. logits.Select(l => l.ToArray())];
    }

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(expected.Zip(actual).All(p => Math.Abs(p.First - p.Second) <= 1e-4), "logits differ");
    }
}
