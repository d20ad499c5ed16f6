namespace Apprentice.Data;

/// <summary>What a random number is for. Different purposes never share numbers, whatever the seed.</summary>
public enum RandomStream
{
    Split = 1,
    EpochOrder = 2,
    Bootstrap = 3,
    Initialization = 4,
    Dropout = 5,
    Sampling = 6,
    AnnealOrder = 7,
    WarmupOrder = 8,
}

/// <summary>
/// Counter-based random numbers: each is a pure function of (seed, stream, index, position), so there is no state to
/// save and a resumed run draws what the uninterrupted one would have drawn.
/// The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
/// </summary>
/// <param name="seed">The user's seed: the key of Philox.</param>
/// <param name="stream">What the numbers are for.</param>
/// <param name="index">Which sequence of the stream, for instance the epoch; less than 2^48.</param>
public readonly struct CounterRandom(ulong seed, RandomStream stream, ulong index = 0)
{
    private readonly ulong _sequence = ((ulong)stream << 48) | (index & 0xFFFF_FFFF_FFFF);

    /// <summary>64 uniform bits.</summary>
    public ulong UInt64(ulong position)
    {
        var (x0, x1, _, _) = Philox((uint)position, (uint)(position >> 32), (uint)_sequence, (uint)(_sequence >> 32), (uint)seed, (uint)(seed >> 32));
        return x0 | ((ulong)x1 << 32);
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double Uniform(ulong position) => (UInt64(position) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0..<paramref name="bound"/>-1; the bias is below bound / 2^64 (Lemire's multiplication without rejection).</summary>
    public int Below(int bound, ulong position)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(UInt64(position), (ulong)bound, out _);
    }

    /// <summary>A uniformly drawn order of 0..<paramref name="count"/>-1 (Fisher and Yates, in Durstenfeld's form).</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            order[i] = i;
        }

        for (var i = count - 1; i > 0; i--)
        {
            var j = Below(i + 1, (ulong)i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    internal static (uint X0, uint X1, uint X2, uint X3) Philox(uint x0, uint x1, uint x2, uint x3, uint key0, uint key1)
    {
        for (var round = 0; round < 10; round++)
        {
            var left = (ulong)x0 * 0xD2511F53;
            var right = (ulong)x2 * 0xCD9E8D57;
            (x0, x1, x2, x3) = ((uint)(right >> 32) ^ x1 ^ key0, (uint)right, (uint)(left >> 32) ^ x3 ^ key1, (uint)left);
            key0 += 0x9E3779B9;
            key1 += 0xBB67AE85;
        }

        return (x0, x1, x2, x3);
    }
}
