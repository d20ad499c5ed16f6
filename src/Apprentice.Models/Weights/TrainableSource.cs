using Apprentice.Data;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>Widens every weight to F32 in memory of its own with a gradient, for full fine-tuning.</summary>
public sealed class TrainableSource(WeightSource source) : WeightSource
{
    public override string Path => source.Path;

    public override IReadOnlyList<string> Files => source.Files;

    public override bool Has(string name) => source.Has(name);

    /// <exception cref="InputException">The weight is quantised: what a few bits hold is no start for small steps, and many times its size would be needed.</exception>
    public override Weight Get(string name, params long[] shape) => Widen(source.Get(name, shape));

    public override Weight GetTurned(string name, long rows, long columns) => Widen(source.GetTurned(name, rows, columns));

    private Weight Widen(Weight weight) =>
        weight.Type <= StorageType.BF16 ? weight.Widened(trainable: true) : throw new InputException(
            "bad_method", $"full training needs a model stored as F32, F16 or BF16; '{weight.Name}' is quantised as {weight.Type}", Path,
            hint: "use method lora, or the unquantised model");
}
