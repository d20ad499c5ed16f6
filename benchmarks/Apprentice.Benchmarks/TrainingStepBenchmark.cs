using System.Diagnostics;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Training;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;
using Apprentice.Training.Runs;

namespace Apprentice.Benchmarks;

/// <summary>
/// LoRA steps (all linear layers) of a model, or steps that train all weights of a new one, on random tokens: speed, useful work against the peak measured between the steps of the
/// same process, managed memory allocated by a step, peak resident memory, and whether the losses are the same bits with
/// one thread, with several, and again.
/// </summary>
internal static class TrainingStepBenchmark
{
    private const double PeakSeconds = 0.3;

    /// <param name="path">The model for LoRA steps, or null for steps of pretraining a model of the shape in the options.</param>
    public static void Run(string? path, Options options)
    {
        using var model = path is null ? ModelShape.From(options).Untrained() : ModelLoader.Open(ModelReference.Resolve(path));
        var job = new Job(
            model,
            path is null ? () => ModelShape.From(options).Untrained() : null,
            options.Integer("batch", 4),
            options.Integer("tokens", 256),
            options.Text("supervised", "all"),
            options.Integer("shared", 0),
            options.Integer("rank", 16),
            options.Integer("micro-batch-tokens", 2048),
            options.Text("recompute", "off") == "on",
            options.Text("accelerator", "off"));
        var threads = options.Integer("threads", Environment.ProcessorCount);
        Measure(job, threads, options.Integer("steps", 5), options.Integer("warm-up", 2));
        var verified = options.Integer("verify", 2);
        if (verified > 0)
        {
            var losses = new[] { threads, threads, 1 }.Select(t => job.Losses(t, verified)).ToArray();
            Figures.Print("same_bits_again", losses[0].SequenceEqual(losses[1]) ? 1 : 0);
            Figures.Print("same_bits_with_one_thread", losses[0].SequenceEqual(losses[2]) ? 1 : 0);
        }
    }

    private static void Measure(Job job, int threads, int steps, int warmUp)
    {
        using var engine = job.NewEngine(threads);
        Engines.Describe(engine);
        var (step, weights, work) = job.NewStep(engine);
        var (seconds, rates, shares, peaks) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        var (inBatch, inStep) = (0L, 0L);
        StepBatch? last = null;
        for (var i = -warmUp; i < steps; i++)
        {
            var examples = job.Examples(i + warmUp);
            var before = PeakRate.Measure(engine, PeakSeconds);
            var start = Stopwatch.GetTimestamp();
            var allocated = GC.GetTotalAllocatedBytes(precise: true);
            var batch = job.Pack(examples);
            var packed = GC.GetTotalAllocatedBytes(precise: true);
            step.Run(batch, learningRate: 1e-4);
            var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            (inBatch, inStep) = (packed - allocated, GC.GetTotalAllocatedBytes(precise: true) - packed);
            last = batch;
            if (i < 0)
            {
                continue;
            }

            var peak = (before + PeakRate.Measure(engine, PeakSeconds)) / 2;
            var rate = batch.MicroBatches.Sum(work.Flops) / elapsed / 1e9;
            seconds.Add(elapsed);
            rates.Add(rate);
            shares.Add(rate / peak);
            peaks.Add(peak);
        }

        var median = Figures.Median(seconds);
        Figures.Print("threads", threads);
        Figures.Print("peak_gflops", Figures.Median(peaks));
        Figures.Print("seconds_per_step", median);
        Figures.Print("tokens_per_second", job.Tokens / median);
        Figures.Print("examples_per_second", job.Batch / median);
        Figures.Print("computed_tokens_per_step", last!.MicroBatches.Sum(m => m.Ids.Length));
        Figures.Print("useful_gflops", Figures.Median(rates));
        Figures.Print("useful_share_of_peak", Figures.Median(shares));
        Figures.Print("managed_bytes_packing_a_batch", inBatch);
        Figures.Print("managed_bytes_a_step", inStep);
        Figures.Print("peak_resident_megabytes", ProcessMemory.Now().PeakResident / 1e6);
        Figures.Print("arena_peak_megabytes", engine.Arena.PeakBytes / 1e6);
        var forecast = new Forecast(job.Model, weights.Sum(w => w.Count), job.Recompute);
        Figures.Print("forecast_seconds_per_step", last.MicroBatches.Sum(m => forecast.Seconds(work, m, Figures.Median(peaks))));
        Figures.Print("forecast_peak_megabytes", forecast.PeakBytes(last.MicroBatches.Max(m => m.Ids.Length)) / 1e6);
    }

    /// <summary>What is trained on, as a function of the step's number.</summary>
    private sealed record Job(
        LanguageModel Model, Func<LanguageModel>? New, int Batch, int Length, string Supervised, int Shared, int Rank, int MicroBatchTokens, bool Recompute, string Accelerator)
    {
        public int Tokens => Batch * Length;

        public Engine NewEngine(int threads) => Engines.Create(threads, Accelerator);

        public (TrainingStep Step, IReadOnlyList<Weight> Weights, TrainingWork Work) NewStep(Engine engine)
        {
            var config = new PeftConfig { Rank = Rank, Alpha = 2 * Rank, TargetPattern = PeftConfig.AllLinear };
            var model = New?.Invoke() ?? Model;
            var adapter = New is null ? LoraAdapter.Create(model, config, seed: 1) : null;
            var weights = (adapter?.Weights ?? model.Weights.Values).ToArray();
            return (new TrainingStep(engine, model, adapter, new AdamW(engine, weights, new AdamWSettings()), new SupervisedLoss(), clip: 1, Recompute), weights, TrainingWork.Of(model, adapter));
        }

        public StepBatch Pack(IReadOnlyList<TokenizedExample> examples) => StepBatch.Create(examples, MicroBatchTokens, Shared > 0);

        /// <summary>Examples of one length whose first tokens are the same in all; the last tokens are learned.</summary>
        public TokenizedExample[] Examples(int step)
        {
            var random = new CounterRandom(seed: 7, RandomStream.Sampling, (ulong)step);
            var learned = Supervised == "all" ? Length - 1 : int.Parse(Supervised, System.Globalization.CultureInfo.InvariantCulture);
            return [.. Enumerable.Range(0, Batch).Select(e =>
            {
                int[] ids = [.. Enumerable.Range(0, Length).Select(i => (int)(random.UInt64((ulong)(i < Shared ? i : e * Length + i)) % (ulong)Model.Vocabulary))];
                float[] weights = [.. Enumerable.Range(0, Length).Select(i => i >= Length - learned ? 1f : 0f)];
                return new TokenizedExample(ids, weights);
            })];
        }

        public double[] Losses(int threads, int steps)
        {
            using var engine = NewEngine(threads);
            var (step, _, _) = NewStep(engine);
            return [.. Enumerable.Range(0, steps).Select(i => step.Run(Pack(Examples(i)), learningRate: 1e-3).Loss.Objective)];
        }
    }
}
