using Apprentice.Data.Batching;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Training;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;
using Apprentice.Training.Recipes;

namespace Apprentice.Benchmarks;

/// <summary>
/// What an accelerator's rounding does to training: the same steps on the same examples in float32 and accelerated, and the
/// mean losses of the last of them. Every other setting is the default of a recipe.
/// </summary>
internal static class TrainingLossBenchmark
{
    public static void Run(string path, string file, Options options)
    {
        using var loaded = LoadedModel.Open(path);
        var recipe = new Recipe { Model = path, Data = [file], Validation = HeldOut.None, BatchSize = options.Integer("batch", 16), MaxSteps = options.Integer("steps", 200) };
        var data = TrainingData.Read(recipe, loaded.Text, progress: null, CancellationToken.None);
        var resolved = recipe.Resolve(new ModelFacts(loaded.Model.ParameterCount, loaded.Model.ContextLength), data.Facts);
        var set = data.Encode(resolved, loaded.Text);
        var threads = options.Integer("threads", Environment.ProcessorCount);
        using var plain = Engines.Create(threads, "off");
        using var accelerated = Engines.Create(threads, options.Text("accelerator", "auto"));
        Engines.Describe(accelerated);
        if (accelerated.WhyNoAccelerator is not null)
        {
            return;
        }

        var last = options.Integer("last", 50);
        var expected = MeanLoss(plain, loaded, resolved, set, last);
        var rounded = MeanLoss(accelerated, loaded, resolved, set, last);
        Figures.Print("float32_loss", expected);
        Figures.Print("accelerated_loss", rounded);
        Figures.Print("accelerated_over_float32", rounded / expected);
    }

    private static double MeanLoss(Engine engine, LoadedModel loaded, ResolvedRecipe recipe, TrainingSet set, int last)
    {
        var config = new PeftConfig { Rank = recipe.Rank, Alpha = recipe.Alpha, TargetPattern = PeftConfig.AllLinear };
        var adapter = LoraAdapter.Create(loaded.Model, config, (ulong)recipe.Seed);
        var step = new TrainingStep(engine, loaded.Model, adapter, new AdamW(engine, adapter.Weights, new AdamWSettings()), new SupervisedLoss(), recipe.Clip);
        var steps = set.TotalSteps;
        var schedule = recipe.CreateSchedule(steps);
        var losses = new double[steps];
        for (var i = 0; i < steps; i++)
        {
            var batch = StepBatch.Create(set.Step(i), tokenBudget: 2048, sharePrefixes: true);
            var loss = step.Run(batch, recipe.LearningRate * schedule.Multiplier(i)).Loss;
            losses[i] = loss.Objective / loss.Weight;
        }

        return losses.TakeLast(last).Average();
    }
}
