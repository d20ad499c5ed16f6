using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Training.Recipes;

namespace Apprentice.Training;

/// <summary>What a run trains, an adapter or all weights, and how it lies in checkpoints and in the finished run.</summary>
public abstract class TrainedWeights
{
    /// <summary>The adapter to hand to forward, or null when the model's own weights are trained.</summary>
    public abstract LoraAdapter? Adapter { get; }

    public abstract IEnumerable<Weight> Weights { get; }

    /// <summary>Writes the weights into a directory that is there.</summary>
    public abstract void Save(string directory);

    /// <summary>Reads them back from a checkpoint.</summary>
    public abstract void Load(string directory);

    /// <param name="baseModel">The base as the user gave it, for the adapter's config.</param>
    /// <exception cref="InputException">The targets are not the model's, or the trained model could not be written.</exception>
    public static TrainedWeights Create(ResolvedRecipe recipe, LoadedModel model, string baseModel)
    {
        if (recipe.Method is TrainingMethod.Lora or TrainingMethod.Dora)
        {
            return new LoraWeights(LoraAdapter.Create(model.Model, ConfigOf(recipe), (ulong)recipe.Seed), model, baseModel);
        }

        ModelFolder.RequireWritable(model);
        return new FullWeights(model);
    }

    private static PeftConfig ConfigOf(ResolvedRecipe recipe)
    {
        var all = recipe.Targets is [PeftConfig.AllLinear];
        return new PeftConfig
        {
            Rank = recipe.Rank,
            Alpha = recipe.Alpha,
            Dropout = recipe.Dropout,
            UseRsLora = recipe.Rslora,
            UseDora = recipe.Method == TrainingMethod.Dora,
            ModulesToSave = recipe.ModulesToSave ?? [],
            Bias = recipe.Bias,
            TargetModules = all ? [] : recipe.Targets,
            TargetPattern = all ? PeftConfig.AllLinear : null,
            RankPattern = new ModulePatterns<int>(recipe.RankPattern),
            AlphaPattern = new ModulePatterns<double>(recipe.AlphaPattern),
        };
    }

    private sealed class LoraWeights(LoraAdapter adapter, LoadedModel model, string baseModel) : TrainedWeights
    {
        public override LoraAdapter? Adapter => adapter;

        public override IEnumerable<Weight> Weights => adapter.Weights;

        public override void Save(string directory) => adapter.Save(directory, baseModel);

        public override void Load(string directory)
        {
            var saved = LoraAdapter.Load(model.Model, directory).Weights.ToDictionary(w => w.Name);
            foreach (var weight in adapter.Weights)
            {
                weight.SetValues(saved.TryGetValue(weight.Name, out var from) && from.Count == weight.Count ? from.ToArray() : throw Mismatch(weight.Name, directory));
            }
        }
    }

    private sealed class FullWeights(LoadedModel model) : TrainedWeights
    {
        public override LoraAdapter? Adapter => null;

        public override IEnumerable<Weight> Weights => model.Model.Weights.Values;

        public override void Save(string directory)
        {
            SafetensorsWriter.Write(
                Path.Combine(directory, "model.safetensors"),
                model.Model.Weights.Select(w => model.Model.IsTurned(w.Key)
                    ? SafetensorsTensor.Turned(w.Key, w.Value.Rows, w.Value.Columns, w.Value.CopyTo)
                    : new SafetensorsTensor(w.Key, w.Value.Shape, w.Value.CopyTo)),
                new Dictionary<string, string> { ["format"] = "pt" });
            ModelFolder.WriteCompanions(model, directory);
        }

        public override void Load(string directory)
        {
            var file = SafetensorsFile.Open(Path.Combine(directory, "model.safetensors"));
            foreach (var (name, weight) in model.Model.Weights)
            {
                var values = file.Find(name) is null ? throw Mismatch(name, directory) : file.ReadFloats(name);
                weight.SetValues(model.Model.IsTurned(name) ? Weight.FromValues(name, trainable: false, values, weight.Columns, weight.Rows).Turned().ToArray() : values);
            }
        }
    }

    private static InputException Mismatch(string name, string directory) =>
        new("bad_checkpoint", $"the checkpoint does not hold '{name}', which the recipe trains", directory);
}
