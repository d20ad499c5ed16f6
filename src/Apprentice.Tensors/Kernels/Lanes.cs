using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// A fixed number of floats that are worked on together, so that a kernel is written once and compiled for every
/// instruction set: the JIT specialises generic code over these structs and keeps them in registers.
/// </summary>
internal unsafe interface ILanes<T>
    where T : struct, ILanes<T>
{
    static abstract int Count { get; }

    static abstract T Zero { get; }

    static abstract T Load(float* source);

    static abstract T Broadcast(float value);

    static abstract T operator +(T left, T right);

    static abstract float Sum(T lanes);

    /// <summary>
    /// Adds left * right, rounded once where the hardware can. In place: of a sum that is assigned instead the JIT makes a
    /// product in left's register and a move, where left is not used again.
    /// </summary>
    void AddProduct(T left, T right);

    void Store(float* destination);
}

/// <summary>Two AVX-512 registers side by side: the width at which the 6-row tile reaches the peak of such CPUs.</summary>
internal unsafe struct Lanes32(Vector512<float> low, Vector512<float> high) : ILanes<Lanes32>
{
    private Vector512<float> _low = low;
    private Vector512<float> _high = high;

    public static int Count => 32;

    public static Lanes32 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Load(float* source) => new(Vector512.Load(source), Vector512.Load(source + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Broadcast(float value)
    {
        var all = Vector512.Create(value);
        return new(all, all);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator +(Lanes32 left, Lanes32 right) => new(left._low + right._low, left._high + right._high);

    public static float Sum(Lanes32 lanes) => Vector512.Sum(lanes._low + lanes._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes32 left, Lanes32 right)
    {
        _low = Vector512.FusedMultiplyAdd(left._low, right._low, _low);
        _high = Vector512.FusedMultiplyAdd(left._high, right._high, _high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination)
    {
        _low.Store(destination);
        _high.Store(destination + 16);
    }
}

internal unsafe struct Lanes16(Vector512<float> value) : ILanes<Lanes16>
{
    private Vector512<float> _value = value;

    public static int Count => 16;

    public static Lanes16 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 left, Lanes16 right) => new(left._value + right._value);

    public static float Sum(Lanes16 lanes) => Vector512.Sum(lanes._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes16 left, Lanes16 right) => _value = Vector512.FusedMultiplyAdd(left._value, right._value, _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => _value.Store(destination);
}

internal unsafe struct Lanes8(Vector256<float> value) : ILanes<Lanes8>
{
    private Vector256<float> _value = value;

    public static int Count => 8;

    public static Lanes8 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 left, Lanes8 right) => new(left._value + right._value);

    public static float Sum(Lanes8 lanes) => Vector256.Sum(lanes._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes8 left, Lanes8 right) => _value = Vector256.FusedMultiplyAdd(left._value, right._value, _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => _value.Store(destination);
}

/// <summary>128 bits (SSE, NEON). Without a fused instruction the product is rounded before the sum.</summary>
internal unsafe struct Lanes4(Vector128<float> value) : ILanes<Lanes4>
{
    private Vector128<float> _value = value;

    public static int Count => 4;

    public static Lanes4 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 left, Lanes4 right) => new(left._value + right._value);

    public static float Sum(Lanes4 lanes) => Vector128.Sum(lanes._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Lanes4 left, Lanes4 right) => _value = Vector128.MultiplyAddEstimate(left._value, right._value, _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => _value.Store(destination);
}

/// <summary>No vector instructions at all: the scalar twin of every kernel.</summary>
internal unsafe struct Lanes1(float value) : ILanes<Lanes1>
{
    private float _value = value;

    public static int Count => 1;

    public static Lanes1 Zero => default;

    public static Lanes1 Load(float* source) => new(*source);

    public static Lanes1 Broadcast(float value) => new(value);

    public static Lanes1 operator +(Lanes1 left, Lanes1 right) => new(left._value + right._value);

    public static float Sum(Lanes1 lanes) => lanes._value;

    public void AddProduct(Lanes1 left, Lanes1 right) => _value = left._value * right._value + _value;

    public void Store(float* destination) => *destination = _value;
}
