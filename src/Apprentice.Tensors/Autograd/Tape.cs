namespace Apprentice.Tensors.Autograd;

/// <summary>
/// Runs operations and, when recording, remembers them so that <see cref="Backward"/> can go through them in reverse.
/// Owns the memory of all tensors made on it. It does not know what a model, a layer or a loss is.
/// </summary>
/// <param name="engine">Where to run.</param>
/// <param name="recording">False for inference: nothing is kept for backward.</param>
/// <param name="recompute">Whether <see cref="Block"/> keeps only its input and output and runs again in backward.</param>
public sealed unsafe class Tape(Engine engine, bool recording = true, bool recompute = false) : IDisposable
{
    private readonly List<Node> _nodes = [];
    private readonly List<Tensor> _tensors = [];
    private readonly Stack<Tensor> _spare = new(); // tensors of earlier steps: a steady step makes no new ones

    public Engine Engine { get; } = engine;

    public bool Recording { get; } = recording;

    /// <summary>
    /// Whether this is a forward pass of training, in which dropout drops. A block that is run again in backward records
    /// only then, but both of its runs are training.
    /// </summary>
    public bool Training { get; private init; } = recording;

    /// <summary>A tensor with these values that is not part of any gradient unless asked for.</summary>
    /// <param name="values">Row after row.</param>
    public Tensor Constant(ReadOnlySpan<float> values, int rows, int columns, bool requiresGradient = false)
    {
        var tensor = New(rows, columns, requiresGradient);
        tensor.SetValues(values);
        return tensor;
    }

    /// <summary>
    /// Drops a tensor's values, when recording, because they are cheap to make again in backward (a norm, an
    /// activation). Call it after the last use in forward.
    /// </summary>
    public void Forget(Tensor tensor)
    {
        if (!Recording || tensor.Producer is not null)
        {
            FreeValues(tensor);
        }
    }

    /// <summary>
    /// Runs one block of a model (a layer). Without recording, its input and everything it made but its output is freed
    /// at once. With recomputation, all but input and output is, and it is run again when backward comes to it.
    /// </summary>
    public Tensor Block(Tensor input, Func<Tape, Tensor, Tensor> block)
    {
        if (Recording && !recompute)
        {
            return block(this, input);
        }

        using var inner = new Tape(Engine, recording: false) { Training = Training };
        var result = block(inner, Tensor.Alias(input, Values(input)));
        var output = Add(result.Rows, result.Columns, inner.Detach(result), requiresGradient: true);
        if (Recording)
        {
            Record(new BlockNode(output, input, block));
        }
        else
        {
            FreeValues(input);
        }

        return output;
    }

    /// <summary>Goes back through everything recorded, from this tensor with this gradient (row after row).</summary>
    public void Backward(Tensor output, ReadOnlySpan<float> gradient)
    {
        if (!Recording)
        {
            throw new InvalidOperationException("the tape did not record");
        }

        if (gradient.Length != output.Count)
        {
            throw new ArgumentException($"the output has {output.Count} elements, the gradient {gradient.Length}", nameof(gradient));
        }

        output.Gradient = Engine.Arena.Rent(output.Count);
        gradient.CopyTo(new Span<float>(output.Gradient, gradient.Length));
        RunBackward();
    }

    /// <summary>The gradient that reached a leaf made by <see cref="Constant"/>, or zeros.</summary>
    public float[] GradientOf(Tensor leaf) => leaf.Gradient == null
        ? new float[leaf.Count]
        : new ReadOnlySpan<float>(leaf.Gradient, checked((int)leaf.Count)).ToArray();

    /// <summary>Frees all tensors, which nobody may use any more, and forgets all operations, so that the tape can serve the next step.</summary>
    public void Reset()
    {
        foreach (var tensor in _tensors)
        {
            FreeValues(tensor);
            FreeGradient(tensor);
            tensor.Producer = null;
            _spare.Push(tensor);
        }

        _tensors.Clear();
        _nodes.Clear();
    }

    public void Dispose() => Reset();

    internal Tensor New(int rows, int columns, bool requiresGradient) =>
        Add(rows, columns, Engine.Arena.Rent((long)rows * columns), requiresGradient);

    /// <summary>A result that takes over the memory of an input whose values nobody needs any more.</summary>
    internal Tensor TakeOver(Tensor input, bool requiresGradient) => Add(input.Rows, input.Columns, Detach(input), requiresGradient);

    internal void Record(Node node)
    {
        if (Recording && node.Output.RequiresGradient)
        {
            _nodes.Add(node);
            node.Output.Producer = null;
        }
    }

    /// <summary>Like <see cref="Record"/>, for an operation that can make its output again.</summary>
    internal void RecordRepeatable(Node node)
    {
        Record(node);
        if (Recording)
        {
            node.Output.Producer = node;
        }
    }

    /// <summary>The values of a tensor, made again if they were forgotten.</summary>
    internal float* Values(Tensor tensor)
    {
        if (tensor.Data == null)
        {
            if (tensor.Producer is not { } producer)
            {
                throw new InvalidOperationException("the values of this tensor were taken over or freed");
            }

            tensor.Data = Engine.Arena.Rent(tensor.Count);
            producer.Recompute(this);
        }

        return tensor.Data;
    }

    /// <summary>Where to put a contribution to a gradient, and whether to add (else to overwrite).</summary>
    internal float* OpenGradient(Tensor tensor, out bool accumulate)
    {
        accumulate = tensor.Gradient != null;
        if (!accumulate)
        {
            tensor.Gradient = Engine.Arena.Rent(tensor.Count);
        }

        return tensor.Gradient;
    }

    /// <summary>The gradient to add to, zeroed if it is new.</summary>
    internal float* ZeroedGradient(Tensor tensor)
    {
        var memory = OpenGradient(tensor, out var accumulate);
        if (!accumulate)
        {
            new Span<float>(memory, checked((int)tensor.Count)).Clear();
        }

        return memory;
    }

    /// <summary>Gives a finished gradient buffer to a tensor: becomes its gradient, or is added to it and freed.</summary>
    internal void GiveGradient(Tensor tensor, float* gradient)
    {
        if (tensor.Gradient == null)
        {
            tensor.Gradient = gradient;
            return;
        }

        Kernels.Elementwise.Add(Engine, gradient, tensor.Gradient, tensor.Count);
        Engine.Arena.Return(gradient);
    }

    /// <summary>Memory for the time of one operation; return it to the arena.</summary>
    internal float* Rent(long floats) => Engine.Arena.Rent(floats);

    internal void Return(float* memory) => Engine.Arena.Return(memory);

    internal void FreeValues(Tensor tensor)
    {
        if (tensor.Data != null && !tensor.IsPersistent && !tensor.IsAlias)
        {
            Engine.Arena.Return(tensor.Data);
        }

        if (!tensor.IsPersistent)
        {
            tensor.Data = null;
        }
    }

    private Tensor Add(int rows, int columns, float* data, bool requiresGradient)
    {
        if (_spare.TryPop(out var tensor))
        {
            tensor.Become(rows, columns, data, requiresGradient && Recording);
        }
        else
        {
            tensor = new Tensor(rows, columns, data, requiresGradient && Recording);
        }

        _tensors.Add(tensor);
        return tensor;
    }

    private void FreeGradient(Tensor tensor)
    {
        if (tensor.Gradient != null)
        {
            Engine.Arena.Return(tensor.Gradient);
            tensor.Gradient = null;
        }
    }

    private void RunBackward()
    {
        for (var i = _nodes.Count - 1; i >= 0; i--)
        {
            var node = _nodes[i];
            if (node.Output.Gradient != null)
            {
                node.Backward(this);
            }

            // All consumers of this output came later on the tape, so nobody needs it any more.
            FreeValues(node.Output);
            FreeGradient(node.Output);
        }

        _nodes.Clear();
    }

    /// <summary>The values of a tensor for another one to own: taken away from it, or copied where they belong to somebody else.</summary>
    private float* Detach(Tensor tensor)
    {
        var values = Values(tensor);
        if (tensor.IsPersistent || tensor.IsAlias)
        {
            var copy = Engine.Arena.Rent(tensor.Count);
            new ReadOnlySpan<float>(values, checked((int)tensor.Count)).CopyTo(new Span<float>(copy, checked((int)tensor.Count)));
            return copy;
        }

        tensor.Data = null;
        return values;
    }

    private sealed class BlockNode(Tensor output, Tensor input, Func<Tape, Tensor, Tensor> block) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            using var inner = new Tape(tape.Engine);
            var leaf = Tensor.Alias(input, tape.Values(input));
            var again = block(inner, leaf);
            again.Gradient = Output.Gradient;
            Output.Gradient = null;
            inner.RunBackward();
            if (leaf.Gradient != null && input.RequiresGradient)
            {
                tape.GiveGradient(input, leaf.Gradient);
                leaf.Gradient = null;
            }
        }
    }
}
