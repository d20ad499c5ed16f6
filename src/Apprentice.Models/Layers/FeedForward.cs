using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>
/// The feed-forward network of one layer: a norm, one projection with an activation or two of which one gates the other, the
/// projection back, perhaps another norm.
/// </summary>
/// <param name="Before">The norm of its input, or null.</param>
/// <param name="Inputs">Gate and up, or up alone.</param>
internal sealed record FeedForward(Norm? Before, ParallelLinear Inputs, LinearLayer Down, Activation Activation = Activation.Silu)
{
    /// <summary>The norm of what is added to the stream, or null.</summary>
    public Norm? After { get; init; }

    /// <param name="x">[rows, width]; kept.</param>
    /// <returns>[rows, width], to be added to x.</returns>
    public Tensor Apply(Tape tape, Tensor x, ForwardInput input)
    {
        var normed = Before?.Invoke(tape, x, input) ?? x;
        var parts = Inputs.Apply(tape, normed, input);
        if (Before is not null)
        {
            tape.Forget(normed);
        }

        var inner = parts.Length == 2
            ? GatedActivation.Apply(tape, parts[0], parts[1], Activation)
            : PointwiseActivation.Apply(tape, parts[0], Activation);
        var down = Down.Apply(tape, inner, input);
        tape.Forget(inner);
        return After?.Invoke(tape, down, input) ?? down;
    }
}
