using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>A weight [out, in] with its place in the model, where an adapter may be attached.</summary>
/// <param name="Name">Its module name in Hugging Face's spelling, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
public sealed record LinearLayer(string Name, Weight Weight, Weight? Bias)
{
    /// <summary>x [rows, in] to [rows, out], with the adapter that the caller handed to forward.</summary>
    public Tensor Apply(Tape tape, Tensor x, ForwardInput input) =>
        Linear.Apply(tape, x, input.Of(Weight), Bias is null ? null : input.Of(Bias), input.Adapter?.For(Name, input.Dropout));
}
