using Apprentice.Data;
using Apprentice.Models.Architectures;

namespace Apprentice.Models.Weights;

/// <summary>
/// Two attention heads of a Llama that can copy before any training. What follows the same token further up is found by a pair
/// of heads (Olsson et al. 2022, "In-context learning and induction heads"): in the first layer one that carries each token to
/// the next position, in the second one that compares what was carried with the token at hand. A large model finds this pair
/// by itself; a small one on few tokens does not (docs/log.md has the figures), so it begins with it, and training shapes it.
/// </summary>
internal sealed class InductionHeads
{
    private const ulong Stream = 1UL << 40; // of the random directions, apart from those of the weights' names

    // How much more the score of the wanted position is than that of others, in units of the softmax.
    private const double NextScore = 4, MatchScore = 9;

    // What the two heads write, against embeddings of 0.02.
    private const double CarriedScale = 0.04, CopiedScale = 0.25;

    // What stays of the drawn values: a dimension of zeros on both sides would never learn.
    private const float Noise = 0.25f;

    // The common direction of all embeddings, which the first head's positions are written on, against their noise.
    private const double CommonShare = 0.5;

    private readonly DecoderConfig _config;
    private readonly double[] _frequencies;
    private readonly double[] _common;
    private readonly int _compared;

    // For each dimension of a head a direction of the model's width; null where tokens are not compared.
    private readonly double[]?[] _read;
    private readonly double[]?[] _carried;
    private readonly double[]?[] _copied;

    private InductionHeads(DecoderConfig config, ulong seed)
    {
        _config = config;
        _frequencies = config.Rotary.Inverse(config.ContextLength);
        var random = new CounterRandom(seed, RandomStream.Initialization, Stream);
        ulong drawn = 0;
        var root = Math.Sqrt(config.Width);
        _common = [.. Enumerable.Range(0, config.Width).Select(_ => (random.Uniform(drawn++) < 0.5 ? -1 : 1) / root)];

        // Dimensions that turn slowly compare tokens at any distance.
        int[] slow = [.. Enumerable.Range(0, config.HeadWidth).Where(row => 8 * (row % _frequencies.Length) >= 3 * _frequencies.Length)];
        _compared = slow.Length;
        _read = Spread(Orthonormal(_compared, _common));
        _carried = Spread(Orthonormal(_compared));
        _copied = Orthonormal(config.HeadWidth);

        double[]?[] Spread(double[][] directions)
        {
            var all = new double[]?[config.HeadWidth];
            for (var i = 0; i < slow.Length; i++)
            {
                all[slow[i]] = directions[i];
            }

            return all;
        }

        double[][] Orthonormal(int count, params double[][] apartFrom)
        {
            var found = new List<double[]>(apartFrom);
            while (found.Count < apartFrom.Length + count)
            {
                var vector = Enumerable.Range(0, config.Width).Select(_ => random.Uniform(drawn++) - 0.5).ToArray();
                foreach (var other in found.Concat(found)) // twice, for what rounding leaves
                {
                    var along = Dot(vector, other);
                    vector = [.. vector.Zip(other, (v, o) => v - along * o)];
                }

                var length = Math.Sqrt(Dot(vector, vector));
                found.Add([.. vector.Select(v => v / length)]);
            }

            return [.. found.Skip(apartFrom.Length)];
        }
    }

    /// <summary>Null where the model has no room for them: one layer, or heads that rotate in part or are too narrow.</summary>
    public static InductionHeads? For(DecoderConfig config, ulong seed) =>
        config.Layers > 1 && config.HeadWidth >= 16 && config.Rotary.Dimensions == config.HeadWidth && config.Width >= 2 * config.HeadWidth
            ? new InductionHeads(config, seed)
            : null;

    /// <summary>Writes their part of a weight over most of what was drawn for it.</summary>
    /// <param name="name">In Hugging Face's spelling.</param>
    /// <param name="deviation">Of the drawn values.</param>
    public void Place(string name, float[] values, double deviation)
    {
        switch (name)
        {
            case "model.embed_tokens.weight":
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] += (float)(CommonShare * deviation * Math.Sqrt(_config.Width) * _common[i % _config.Width]);
                }

                break;
            case "model.layers.0.self_attn.q_proj.weight": Rows(values, NextQuery); break;
            case "model.layers.0.self_attn.k_proj.weight": Rows(values, NextKey); break;
            case "model.layers.0.self_attn.v_proj.weight": Rows(values, (row, column) => At(_read[row], column)); break;
            case "model.layers.0.self_attn.o_proj.weight": Columns(values, (row, column) => CarriedScale * At(_carried[column], row)); break;
            case "model.layers.1.self_attn.q_proj.weight": Rows(values, (row, column) => MatchGain * At(_read[row], column)); break;
            case "model.layers.1.self_attn.k_proj.weight": Rows(values, (row, column) => MatchGain * At(_carried[row], column)); break;
            case "model.layers.1.self_attn.v_proj.weight": Rows(values, (row, column) => At(_copied[row], column)); break;
            case "model.layers.1.self_attn.o_proj.weight": Columns(values, (row, column) => CopiedScale * At(_copied[column], row)); break;
        }
    }

    // The quarter of the pairs that turns fastest tells neighbours apart.
    private int Fast => Math.Max(1, _frequencies.Length / 4);

    // A token's share of the common direction after the norm is CommonShare / sqrt(1 + CommonShare²) of sqrt(width).
    private double NextGain => Math.Sqrt(
        NextScore * Math.Sqrt(_config.HeadWidth)
        / (CommonShare * CommonShare / (1 + CommonShare * CommonShare) * _config.Width * _frequencies.Take(Fast).Sum(f => 1 - Math.Cos(f))));

    // About seven tenths of what is compared are left after the norm before the second layer.
    private double MatchGain => Math.Sqrt(MatchScore * Math.Sqrt(_config.HeadWidth) / (0.7 * _compared));

    private double NextKey(int row, int column) => row < Fast ? NextGain * _common[column] : 0;

    // Rotated back by one position, so that the key one position before fits it best.
    private double NextQuery(int row, int column)
    {
        var pair = row % _frequencies.Length;
        return pair >= Fast ? 0 : NextGain * _common[column] * (row == pair ? Math.Cos(_frequencies[pair]) : -Math.Sin(_frequencies[pair]));
    }

    private static double At(double[]? direction, int column) => direction is null ? 0 : direction[column];

    /// <summary>The first head's rows of a weight [out, width].</summary>
    private void Rows(float[] values, Func<int, int, double> value)
    {
        for (var i = 0; i < _config.HeadWidth * _config.Width; i++)
        {
            values[i] = Noise * values[i] + (float)value(i / _config.Width, i % _config.Width);
        }
    }

    /// <summary>The first head's columns of a weight [width, in].</summary>
    private void Columns(float[] values, Func<int, int, double> value)
    {
        var width = values.Length / _config.Width;
        for (var row = 0; row < _config.Width; row++)
        {
            for (var column = 0; column < _config.HeadWidth; column++)
            {
                values[row * width + column] = Noise * values[row * width + column] + (float)value(row, column);
            }
        }
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
