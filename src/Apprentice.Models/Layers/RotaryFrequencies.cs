using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>
/// How fast each pair of dimensions rotates, in radians a position, with the scalings that stretch a model's context.
/// Formulas as in transformers' modeling_rope_utils.
/// </summary>
/// <param name="Dimensions">Rotary dimensions of a head.</param>
/// <param name="Base">theta.</param>
/// <param name="Scaling">default, linear, dynamic, llama3, yarn or longrope.</param>
public sealed partial record RotaryFrequencies(int Dimensions, double Base, string Scaling = "default")
{
    public double Factor { get; init; } = 1;

    public double LowFrequencyFactor { get; init; } = 1;

    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Context length before stretching; for dynamic scaling the length from which the base grows.</summary>
    public int OriginalContext { get; init; }

    public double BetaFast { get; init; } = 32;

    public double BetaSlow { get; init; } = 1;

    /// <summary>Whether YaRN rounds its ramp to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Divisors of the plain frequencies, one a pair (GGUF's rope_freqs), or null.</summary>
    public float[]? Divisors { get; init; }

    /// <summary>Multiplies cosine and sine.</summary>
    public double Amplitude { get; init; } = 1;

    /// <summary>LongRoPE's divisors, one a pair, for sequences within <see cref="OriginalContext"/> and for longer ones.</summary>
    public float[]? ShortDivisors { get; init; }

    public float[]? LongDivisors { get; init; }

    /// <summary>For a model that learns its positions.</summary>
    public static RotaryFrequencies None { get; } = new(0, 1);

    /// <summary>
    /// The length up to which a sequence is rotated otherwise than a longer one (LongRoPE), which must not share a batch with it:
    /// keys of both do not go together.
    /// </summary>
    public int ShortContext => Scaling == "longrope" ? OriginalContext : int.MaxValue;

    /// <summary>Cosines and sines of a batch.</summary>
    public RotaryAngles Angles(Tape tape, int[] positions) => new(tape, positions, Inverse(positions.Max()), Amplitude);

    /// <summary>One frequency a pair, for a batch whose largest position is given (dynamic scaling and LongRoPE look at it).</summary>
    public double[] Inverse(int largestPosition)
    {
        var theta = Base;
        if (Scaling == "dynamic" && largestPosition + 1 > OriginalContext)
        {
            theta *= Math.Pow(Factor * (largestPosition + 1) / OriginalContext - (Factor - 1), Dimensions / (Dimensions - 2.0));
        }

        var divisors = Scaling != "longrope" ? Divisors : largestPosition + 1 > OriginalContext ? LongDivisors : ShortDivisors;
        var inverse = new double[Dimensions / 2];
        for (var i = 0; i < inverse.Length; i++)
        {
            var plain = Math.Pow(theta, -2.0 * i / Dimensions) / (divisors?[i] ?? 1);
            inverse[i] = Scaling switch
            {
                "linear" => plain / Factor,
                "llama3" => Llama3(plain),
                "yarn" => Yarn(plain, i),
                _ => plain,
            };
        }

        return inverse;
    }

    /// <summary>Long waves are slowed by the factor, short ones kept, those between blended (Llama 3.1).</summary>
    private double Llama3(double plain)
    {
        var wavelength = 2 * Math.PI / plain;
        if (wavelength > OriginalContext / LowFrequencyFactor)
        {
            return plain / Factor;
        }

        if (wavelength < OriginalContext / HighFrequencyFactor)
        {
            return plain;
        }

        var smooth = (OriginalContext / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - smooth) * plain / Factor + smooth * plain;
    }

    /// <summary>A ramp over the dimensions from kept to slowed (Peng et al. 2023).</summary>
    private double Yarn(double plain, int pair)
    {
        var low = RampEnd(BetaFast);
        var high = RampEnd(BetaSlow);
        if (Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, Dimensions - 1);
        high += low == high ? 0.001 : 0;
        var ramp = Math.Clamp((pair - low) / (high - low), 0, 1);
        return plain / Factor * ramp + plain * (1 - ramp);
    }

    private double RampEnd(double rotations) =>
        Dimensions * Math.Log(OriginalContext / (2 * Math.PI * rotations)) / (2 * Math.Log(Base));
}
