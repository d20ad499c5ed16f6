using System.Buffers.Binary;
using Apprentice.Data;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>
/// Weights before any training, each to be trained: matrices normal with a standard deviation of 0.02, those that write into
/// the residual stream divided by the square root of how many do (Radford et al. 2019), so that the stream does not grow with
/// the depth; norms 1, biases 0. Each is a function of seed, name and shape, whatever the order in which they are asked for.
/// </summary>
/// <param name="folder">The model's folder, for messages.</param>
/// <param name="layers">Of the model; each writes into the residual stream twice.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="heads">What is written over some of the values, or null.</param>
internal sealed class UntrainedSource(string folder, int layers, ulong seed, InductionHeads? heads = null) : WeightSource
{
    private const double StandardDeviation = 0.02;

    public override string Path => folder;

    public override IReadOnlyList<string> Files => [];

    public override bool Has(string name) => true;

    public override Weight Get(string name, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (product, n) => checked(product * n))];
        if (shape.Length > 1)
        {
            var residual = name.EndsWith(".o_proj.weight", StringComparison.Ordinal) || name.EndsWith(".down_proj.weight", StringComparison.Ordinal);
            FillNormal(name, residual ? StandardDeviation / Math.Sqrt(2.0 * layers) : StandardDeviation, values);
            heads?.Place(name, values, StandardDeviation);
        }
        else if (name.EndsWith(".weight", StringComparison.Ordinal))
        {
            values.AsSpan().Fill(1);
        }

        return Weight.FromValues(name, trainable: true, values, shape);
    }

    /// <summary>Two normal numbers from two uniform ones (Box and Muller 1958).</summary>
    private void FillNormal(string name, double deviation, float[] values)
    {
        var index = BinaryPrimitives.ReadUInt64LittleEndian(Sha256.Hash(name));
        var random = new CounterRandom(seed, RandomStream.Initialization, index);
        for (var i = 0; i < values.Length; i += 2)
        {
            var radius = deviation * Math.Sqrt(-2 * Math.Log(1 - random.Uniform((ulong)i)));
            var (sine, cosine) = Math.SinCos(2 * Math.PI * random.Uniform((ulong)i + 1));
            values[i] = (float)(radius * cosine);
            if (i + 1 < values.Length)
            {
                values[i + 1] = (float)(radius * sine);
            }
        }
    }
}
