using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors.Kernels;

/// <summary>Asks for memory before it is needed, where the processor would not guess it. Addresses need not exist.</summary>
internal static unsafe class Prefetch
{
    /// <summary>The line of the cache that an address lies in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    /// <summary>So many floats.</summary>
    public static void Floats(float* first, int count)
    {
        for (var i = 0; i < count; i += NativeBuffer.Alignment / sizeof(float))
        {
            Line(first + i);
        }
    }
}
