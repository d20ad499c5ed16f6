using System.Runtime.InteropServices;

namespace Apprentice.Tensors.Memory;

/// <summary>A block of native memory aligned to a cache line (64 bytes), zeroed, freed on dispose or finalisation.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    public const int Alignment = 64;

    /// <param name="bytes">Size; the pages are only committed by the system once they are touched when it is large.</param>
    /// <param name="zero">Whether the contents must start as zeros.</param>
    public NativeBuffer(long bytes, bool zero = true)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment));
        if (zero)
        {
            NativeMemory.Clear((void*)handle, (nuint)bytes);
        }
    }

    public long Bytes { get; }

    public float* Floats => (float*)handle;

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
