using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Ops;

/// <summary>
/// One operation as a function of tensors and trainable weights, checked three ways: its gradients against central
/// differences of sum(output * cotangent), its bits for different numbers of threads, and its memory.
/// </summary>
/// <param name="seed">Of inputs and cotangent.</param>
internal sealed class GradientCheck(ulong seed)
{
    private readonly Values _values = new(seed);
    private readonly List<(float[] Values, int Rows, int Columns)> _inputs = [];
    private readonly List<Weight> _weights = [];

    public Values Values => _values;

    /// <summary>Instruction set to run on; the widest by default.</summary>
    public SimdLevel? Simd { get; init; }

    /// <summary>Adds an input tensor with random values and returns its number.</summary>
    public int Input(int rows, int columns, float size = 1)
    {
        _inputs.Add((_values.Floats((long)rows * columns, size), rows, columns));
        return _inputs.Count - 1;
    }

    /// <summary>Adds a trainable weight with random values.</summary>
    public Weight Trained(string name, float size, params long[] shape)
    {
        _weights.Add(_values.Weight(name, trainable: true, size, shape));
        return _weights[^1];
    }

    /// <summary>Runs all checks; the operation is given the inputs in the order in which they were added.</summary>
    /// <param name="step">Of the central differences.</param>
    /// <param name="tolerance">Allowed error, relative to 1 + the largest entry of the gradient.</param>
    /// <param name="entries">How many entries of each gradient are checked, spread over all of it.</param>
    public void Run(Func<Tape, Tensor[], Tensor> operation, float step = 1e-2f, double tolerance = 2e-3, int entries = 60)
    {
        float[]? cotangent = null;
        var (output, gradients) = Backward(1, operation, ref cotangent);
        foreach (var threads in new[] { 2, 3 })
        {
            var (again, sameGradients) = Backward(threads, operation, ref cotangent);
            Assert.Equal(output, again);
            for (var g = 0; g < gradients.Count; g++)
            {
                Assert.Equal(gradients[g], sameGradients[g]);
            }
        }

        using var engine = new Engine(1, Simd);
        for (var i = 0; i < _inputs.Count; i++)
        {
            Differences(engine, operation, _inputs[i].Values, gradients[i], cotangent!, step, tolerance, entries, $"input {i}");
        }

        for (var w = 0; w < _weights.Count; w++)
        {
            var values = _weights[w].ToArray();
            Differences(
                engine, operation, values, gradients[_inputs.Count + w], cotangent!, step, tolerance, entries, _weights[w].Name,
                () => _weights[w].SetValues(values));
        }
    }

    /// <summary>The output and all gradients (inputs, then weights) on so many threads.</summary>
    public (float[] Output, List<float[]> Gradients) Backward(int threads, Func<Tape, Tensor[], Tensor> operation, ref float[]? cotangent, bool recompute = false)
    {
        using var engine = new Engine(threads, Simd);
        using var tape = new Tape(engine, recompute: recompute);
        var tensors = Inputs(tape, requiresGradient: true);
        var outputTensor = operation(tape, tensors);
        var output = outputTensor.ToArray();
        cotangent ??= _values.Floats(output.Length);
        Assert.All(output, v => Assert.True(float.IsFinite(v)));
        foreach (var weight in _weights)
        {
            weight.Gradient!.SetValues(new float[weight.Count]);
        }

        tape.Backward(outputTensor, cotangent);
        List<float[]> gradients = [.. tensors.Select(tape.GradientOf), .. _weights.Select(w => w.Gradient!.ToArray())];
        tape.Reset();
        Assert.Equal(0, engine.Arena.LiveBytes);
        return (output, gradients);
    }

    private Tensor[] Inputs(Tape tape, bool requiresGradient) =>
        [.. _inputs.Select(i => tape.Constant(i.Values, i.Rows, i.Columns, requiresGradient))];

    private void Differences(
        Engine engine, Func<Tape, Tensor[], Tensor> operation, float[] values, float[] gradient, float[] cotangent,
        float step, double tolerance, int entries, string name, Action? changed = null)
    {
        var scale = 1 + gradient.Max(Math.Abs);
        var stride = Math.Max(1, values.Length / entries);
        for (var at = _values.Below(stride); at < values.Length; at += stride)
        {
            var kept = values[at];
            values[at] = kept + step;
            changed?.Invoke();
            var up = Loss(engine, operation, cotangent);
            values[at] = kept - step;
            changed?.Invoke();
            var down = Loss(engine, operation, cotangent);
            var width = (double)(kept + step) - (kept - step);
            values[at] = kept;
            changed?.Invoke();
            var difference = (up - down) / width;
            Assert.True(
                Math.Abs(difference - gradient[at]) <= tolerance * scale,
                $"{name}[{at}]: gradient {gradient[at]}, central difference {difference}, largest {scale - 1}");
        }
    }

    /// <summary>sum(output * cotangent), summed in double; a training pass, so that dropout drops.</summary>
    private double Loss(Engine engine, Func<Tape, Tensor[], Tensor> operation, float[] cotangent)
    {
        using var tape = new Tape(engine);
        var output = operation(tape, Inputs(tape, requiresGradient: false)).ToArray();
        return output.Zip(cotangent, (o, c) => (double)o * c).Sum();
    }
}
