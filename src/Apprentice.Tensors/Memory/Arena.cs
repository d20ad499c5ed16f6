namespace Apprentice.Tensors.Memory;

/// <summary>
/// Hands out the memory of activations and gradients: first fit over large slabs, neighbours joined again when they
/// are returned. Nothing is given back to the system between steps, so a steady training step allocates nothing.
/// </summary>
/// <remarks>Not thread-safe: only the thread that drives the tape rents and returns; workers never do.</remarks>
public sealed unsafe class Arena : IDisposable
{
    private const long SlabFloats = 64L << 20; // 256 MB of address space; pages are committed when first touched
    private const long Granule = NativeBuffer.Alignment / sizeof(float);

    private readonly List<Slab> _slabs = [];
    private readonly Dictionary<nint, (Slab Slab, long Length)> _live = [];

    /// <summary>Bytes in use now.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>The most bytes that were ever in use at once.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Memory for so many floats, contents undefined, aligned to 64 bytes.</summary>
    internal float* Rent(long floats)
    {
        var length = (Math.Max(floats, 1) + Granule - 1) / Granule * Granule;
        foreach (var slab in _slabs)
        {
            if (slab.TryTake(length, out var offset))
            {
                return Hand(slab, offset, length);
            }
        }

        var fresh = new Slab(Math.Max(SlabFloats, length));
        _slabs.Add(fresh);
        fresh.TryTake(length, out var first);
        return Hand(fresh, first, length);
    }

    internal void Return(float* memory)
    {
        if (!_live.Remove((nint)memory, out var block))
        {
            throw new InvalidOperationException("memory was returned to an arena that did not hand it out");
        }

        LiveBytes -= block.Length * sizeof(float);
        block.Slab.Give(memory - block.Slab.Memory.Floats, block.Length);
    }

    public void Dispose()
    {
        foreach (var slab in _slabs)
        {
            slab.Memory.Dispose();
        }

        _slabs.Clear();
        _live.Clear();
    }

    private float* Hand(Slab slab, long offset, long length)
    {
        var memory = slab.Memory.Floats + offset;
        _live.Add((nint)memory, (slab, length));
        LiveBytes += length * sizeof(float);
        PeakBytes = Math.Max(PeakBytes, LiveBytes);
        return memory;
    }

    /// <summary>One slab and its free stretches, sorted by offset; offsets and lengths in floats.</summary>
    private sealed class Slab(long floats)
    {
        private readonly List<(long Offset, long Length)> _free = [(0, floats)];

        public NativeBuffer Memory { get; } = new(floats * sizeof(float), zero: false);

        public bool TryTake(long length, out long offset)
        {
            for (var i = 0; i < _free.Count; i++)
            {
                var (start, available) = _free[i];
                if (available < length)
                {
                    continue;
                }

                offset = start;
                if (available == length)
                {
                    _free.RemoveAt(i);
                }
                else
                {
                    _free[i] = (start + length, available - length);
                }

                return true;
            }

            offset = 0;
            return false;
        }

        public void Give(long offset, long length)
        {
            var at = _free.BinarySearch((offset, 0));
            at = at < 0 ? ~at : at;
            _free.Insert(at, (offset, length));
            Join(at);
            if (at > 0)
            {
                Join(at - 1);
            }
        }

        private void Join(int at)
        {
            if (at + 1 < _free.Count && _free[at].Offset + _free[at].Length == _free[at + 1].Offset)
            {
                _free[at] = (_free[at].Offset, _free[at].Length + _free[at + 1].Length);
                _free.RemoveAt(at + 1);
            }
        }
    }
}
