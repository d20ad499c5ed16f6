namespace Apprentice.Tensors.Kernels.OneDnn;

/// <summary>
/// A product of some columns for any number of rows. Since that number changes from batch to batch, it is compiled for blocks
/// of 1024, 512, … 32 rows; rows that fill no block go through one at the side.
/// </summary>
internal sealed unsafe class RowBlocks(Library library, MatmulShape shape) : IDisposable
{
    /// <summary>A [m, k] must have room for whole blocks of so many rows.</summary>
    public const int Smallest = 32;
    private const int Sizes = 6;

    private readonly Matmul?[] _blocks = new Matmul?[Sizes];
    private Matmul? _side;

    /// <summary>Bytes that <see cref="Run"/> works in, once prepared.</summary>
    public long WorkBytes { get; private set; }

    private long SideBytes => (long)Smallest * shape.N * sizeof(float);

    /// <summary>Compiles what so many rows need; not thread-safe.</summary>
    public void Prepare(int m)
    {
        for (var size = Sizes - 1; size >= 0; size--)
        {
            if (m >= Smallest << size)
            {
                Count(_blocks[size] ??= new Matmul(library, shape with { M = Smallest << size }));
                m %= Smallest << size;
            }
        }

        if (m > 0)
        {
            Count(_side ??= new Matmul(library, shape with { M = Smallest, CRow = shape.N, Accumulate = false }));
        }

        void Count(Matmul matmul) => WorkBytes = Math.Max(WorkBytes, SideBytes + matmul.ScratchpadBytes);
    }

    /// <param name="a">Elements [m, k], followed by rows of zeros up to a whole block.</param>
    /// <param name="work">Aligned to 64 bytes.</param>
    public void Run(nint stream, int m, byte* a, byte* b, float* c, byte* work)
    {
        var aRow = (long)shape.K * (shape.Element == Element.BF16 ? sizeof(ushort) : sizeof(float));
        var done = 0;
        for (var size = Sizes - 1; size >= 0; size--)
        {
            for (var rows = Smallest << size; m - done >= rows; done += rows)
            {
                _blocks[size]!.Run(stream, a + done * aRow, b, c + done * shape.CRow, work + SideBytes);
            }
        }

        if (done < m)
        {
            var side = (float*)work;
            _side!.Run(stream, a + done * aRow, b, side, work + SideBytes);
            for (; done < m; done++, side += shape.N)
            {
                var to = c + done * shape.CRow;
                if (shape.Accumulate)
                {
                    Rows.AddScaled(1, side, to, shape.N);
                }
                else
                {
                    new ReadOnlySpan<float>(side, shape.N).CopyTo(new Span<float>(to, shape.N));
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            block?.Dispose();
        }

        _side?.Dispose();
    }
}
