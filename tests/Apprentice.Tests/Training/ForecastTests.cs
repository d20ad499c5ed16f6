using Apprentice.Data.Batching;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tests.Models;
using Apprentice.Training;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;

namespace Apprentice.Tests.Training;

public class ForecastTests
{
    private const int Tokens = 1024;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Activations_take_what_is_forecast(bool recompute, bool dora)
    {
        var config = TinyModel.Config with { Width = 128, Layers = 8, FeedForward = 384, HeadWidth = 32 };
        using var model = TinyModel.Make(config);
        using var engine = new Engine(1);
        var adapter = LoraAdapter.Create(model, new PeftConfig { Rank = 4, Alpha = 8, TargetPattern = PeftConfig.AllLinear, UseDora = dora }, seed: 1);
        var step = new TrainingStep(engine, model, adapter, new AdamW(engine, adapter.Weights, new AdamWSettings()), new SupervisedLoss(), clip: 1, recompute);
        var example = new TokenizedExample([.. Enumerable.Range(0, Tokens).Select(i => i * 7 % 265)], [.. Enumerable.Repeat(1f, Tokens)]);

        step.Run(StepBatch.Create([example], Tokens), learningRate: 1e-3);

        // The arena also holds what products pack, which does not grow with the model.
        var beside = dora ? model.LinearLayers.Sum(l => (long)l.Weight.Rows) : 0;
        var forecast = new Forecast(model, adapter.ParameterCount, recompute, beside).ActivationBytes(Tokens);
        Assert.InRange(engine.Arena.PeakBytes, 0.85 * forecast, 1.15 * forecast + 4e6);
    }

    [Fact]
    public void Recomputation_takes_less_memory_and_more_time()
    {
        using var model = TinyModel.Make(TinyModel.Config with { Layers = 8 });
        var work = new TrainingWork(1000, 100, 500, 64);
        var batch = Batch.Pack([new TokenizedExample([1, 2, 3, 4], [0, 0, 1, 1])]);
        var (kept, again) = (new Forecast(model, 100, recompute: false), new Forecast(model, 100, recompute: true));

        Assert.True(again.PeakBytes(512) < kept.PeakBytes(512));
        Assert.True(again.Seconds(work, batch, 100) > kept.Seconds(work, batch, 100));
        Assert.Equal(work.Flops(batch) / (Forecast.ShareOfPeak * 100e9), kept.Seconds(work, batch, 100), 1e-15);
    }
}
