using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels.OneDnn;
using Apprentice.Tests.Models;
using Apprentice.Training;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;

namespace Apprentice.Tests.Training;

/// <summary>Whole LoRA and full steps with products in bfloat16, beside those in float32.</summary>
public sealed class AcceleratedTrainingTests
{
    private const int Steps = 40;

    public static TheoryData<bool, bool> Ways => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Losses_stay_within_a_percent_and_threads_change_no_bit(bool imitated, bool full)
    {
        using var plain = new Engine(2);
        var expected = Losses(plain, full);
        using var two = EngineOrSkip(imitated, 2);
        var losses = Losses(two, full);
        Assert.NotEqual(expected, losses); // it did take part
        Assert.True(losses[^1] < 0.8 * losses[0], $"nothing was learned: {losses[0]} became {losses[^1]}");
        Assert.InRange(losses.TakeLast(10).Average() / expected.TakeLast(10).Average(), 0.99, 1.01);

        using var one = EngineOrSkip(imitated, 1);
        Assert.Equal(losses, Losses(one, full));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_steady_step_allocates_no_more_than_without(bool imitated)
    {
        using var plain = new Engine(1);
        using var accelerated = EngineOrSkip(imitated, 1);
        var allowed = Allocated(plain) + 1024;
        Assert.InRange(Allocated(accelerated), 0, allowed);
    }

    private static double[] Losses(Engine engine, bool full)
    {
        using var model = Model(full);
        var step = Step(engine, model, full);
        return [.. Enumerable.Range(0, Steps).Select(i => step.Run(Batch(i), learningRate: full ? 1e-3 : 5e-3).Loss.Objective)];
    }

    private static long Allocated(Engine engine)
    {
        using var model = Model(full: false);
        var step = Step(engine, model, full: false);
        var batch = Batch(0);
        var allocated = 0L;
        for (var i = 0; i < 4; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            step.Run(batch, learningRate: 1e-3);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return allocated;
    }

    private static Llama Model(bool full) =>
        TinyModel.Make(TinyModel.Config with { Width = 64, FeedForward = 96, HeadWidth = 16 }, trainable: full);

    private static TrainingStep Step(Engine engine, LanguageModel model, bool full)
    {
        var adapter = full ? null : LoraAdapter.Create(model, new PeftConfig { Rank = 4, Alpha = 8, TargetPattern = PeftConfig.AllLinear }, seed: 1);
        var weights = adapter?.Weights ?? [.. model.Weights.Values];
        return new TrainingStep(engine, model, adapter, new AdamW(engine, weights, new AdamWSettings()), new SupervisedLoss(), clip: 1);
    }

    /// <summary>Rows that are learned by counting on; their lengths, and so the number of rows of a product, change.</summary>
    private static StepBatch Batch(int step) => StepBatch.Create(
        [.. Enumerable.Range(0, 4).Select(e =>
        {
            var length = 20 + (step * 4 + e) % 7;
            int[] ids = [.. Enumerable.Range(0, length).Select(i => (step + 11 * e + 3 * i) % 97)];
            return new TokenizedExample(ids, [.. Enumerable.Repeat(1f, length)]);
        })],
        2048);

    private static Engine EngineOrSkip(bool imitated, int threads)
    {
        var accelerator = imitated ? Accelerator.TryImitate(out var why) : Accelerator.TryCreate(out why);
        Skip.If(accelerator is null, why);
        return new Engine(threads, accelerator);
    }
}
