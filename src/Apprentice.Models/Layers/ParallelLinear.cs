using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>Projections of the same input: each with a weight of its own, or all in one weight whose rows follow each other.</summary>
internal sealed class ParallelLinear
{
    private readonly LinearLayer[] _layers;
    private readonly int[] _widths;

    private ParallelLinear(LinearLayer[] layers, int[] widths) => (_layers, _widths) = (layers, widths);

    public static ParallelLinear Separate(params LinearLayer[] layers) => new(layers, []);

    /// <param name="widths">Outputs that belong to each projection.</param>
    public static ParallelLinear Fused(LinearLayer layer, params int[] widths) => new([layer], widths);

    /// <summary>x [rows, in] to one tensor a projection.</summary>
    public Tensor[] Apply(Tape tape, Tensor x, ForwardInput input) => _widths.Length == 0
        ? Array.ConvertAll(_layers, layer => layer.Apply(tape, x, input))
        : SplitColumns.Apply(tape, _layers[0].Apply(tape, x, input), _widths);
}
