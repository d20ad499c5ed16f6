using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>Widens every weight to F32 in memory of its own with a gradient, for full fine-tuning.</summary>
public sealed class TrainableSource(WeightSource source) : WeightSource
{
    public override string Path => source.Path;

    public override IReadOnlyList<string> Files => source.Files;

    public override bool Has(string name) => source.Has(name);

    public override Weight Get(string name, params long[] shape) => source.Get(name, shape).Widened(trainable: true);
}
