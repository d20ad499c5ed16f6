namespace Apprentice.Tensors.Autograd;

/// <summary>One recorded operation: it knows its inputs and how to turn its output's gradient into theirs.</summary>
internal abstract class Node(Tensor output)
{
    public Tensor Output { get; } = output;

    /// <summary>Adds to the gradients of the inputs. Output.Gradient is there.</summary>
    public abstract void Backward(Tape tape);

    /// <summary>Makes the output's values again after <see cref="Tape.Forget"/>, the same bits as before.</summary>
    public virtual void Recompute(Tape tape) => throw new NotSupportedException($"{GetType().Name} cannot be computed again");
}
