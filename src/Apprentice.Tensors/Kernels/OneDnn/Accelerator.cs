namespace Apprentice.Tensors.Kernels.OneDnn;

/// <summary>
/// Matrix products whose factors are rounded to bfloat16 and whose sums are float32, by oneDNN. The weights stay where they
/// are: a part rounds its columns just before their product. A part runs on one thread, and parts depend on the shapes
/// alone, so the bits are the same for any number of threads.
/// </summary>
internal sealed unsafe class Accelerator : IDisposable
{
    /// <summary>Below this a weight is used too seldom for rounding it to pay.</summary>
    private const int FewestRows = 16;
    private const int FewestSteps = 32;
    private const int AvxBf16 = 0xE7, Amx = 0x200; // of dnnl_cpu_isa_t

    private static readonly Lazy<(Library? Library, string? Why)> Installed = new(() =>
        (Library.TryLoad(OperatingSystem.IsWindows() ? ["dnnl.dll"] : ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so"], out var why), why));

    private readonly Library _library;
    private readonly Element _element;
    private readonly Dictionary<MatmulShape, RowBlocks> _compiled = [];

    internal Accelerator(Library library, Element element)
    {
        _library = library;
        _element = element;
        Name = $"onednn {library.Version} bf16 {(element == Element.F32 ? "imitated" : (library.Isa & Amx) != 0 ? "amx" : "avx512")}";
    }

    /// <summary>What decides the bits: the library, its version and the kind of instructions.</summary>
    public string Name { get; }

    /// <summary>An accelerator where oneDNN is installed and the CPU multiplies bfloat16, otherwise null and why.</summary>
    public static Accelerator? TryCreate(out string? why)
    {
        if (!Bf16Instructions.Available)
        {
            why = "this CPU has no bf16 multiply instructions";
            return null;
        }

        (var library, why) = Installed.Value;
        if (library is null)
        {
            return null;
        }

        if ((library.Isa & AvxBf16) != AvxBf16)
        {
            why = $"oneDNN {library.Version} does not use this CPU's bf16 instructions";
            return null;
        }

        return new Accelerator(library, Element.BF16);
    }

    /// <summary>
    /// The same with float32 instructions on values rounded to bfloat16: what bf16 instructions compute but for the order of
    /// additions, at no gain in speed. Tests and measurements of the loss use it where the CPU has none.
    /// </summary>
    public static Accelerator? TryImitate(out string? why)
    {
        (var library, why) = Installed.Value;
        return library is null ? null : new Accelerator(library, Element.F32);
    }

    public static bool Takes(int m, int k) => m >= FewestRows && k >= FewestSteps;

    /// <summary>C [m, n] = A [m, k] B [k, n], or +=.</summary>
    public void Run(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
    {
        var rows = (m + RowBlocks.Smallest - 1) / RowBlocks.Smallest * RowBlocks.Smallest;
        var rounded = engine.Arena.Rent(Floats((long)rows * k));
        engine.Team.Run(RowParts.Count(rows), new RoundJob(this, m, rows, k, a, aRow, (byte*)rounded));

        // Multiples of 32, so that a part has whole blocks of a quantized row.
        var width = n >= 1024 ? 128 : 64;
        var whole = Compiled(m, Math.Min(width, n), k, b, cRow, accumulate);
        var last = n % width == 0 ? whole : Compiled(m, n % width, k, b, cRow, accumulate);
        engine.Team.Run((n + width - 1) / width, new ColumnsJob(this, whole, last, width, m, n, k, (byte*)rounded, b, c));
        engine.Arena.Return(rounded);
    }

    public void Dispose()
    {
        foreach (var compiled in _compiled.Values)
        {
            compiled.Dispose();
        }
    }

    private RowBlocks Compiled(int m, int columns, int k, in Operand b, nint cRow, bool accumulate)
    {
        var bRow = InPlace(b) ? b.RowBytes / sizeof(ushort) : b.Transposed ? k : columns;
        var shape = new MatmulShape(_element, M: 0, columns, k, bRow, b.Transposed, cRow, accumulate);
        if (!_compiled.TryGetValue(shape, out var compiled))
        {
            _compiled.Add(shape, compiled = new RowBlocks(_library, shape));
        }

        compiled.Prepare(m);
        return compiled;
    }

    private int ElementBytes => _element == Element.BF16 ? sizeof(ushort) : sizeof(float);

    /// <summary>Floats that hold so many elements, in whole cache lines.</summary>
    private long Floats(long elements) => (elements * ElementBytes + 63) / 64 * (64 / sizeof(float));

    /// <summary>Whether the stored elements are those that oneDNN takes.</summary>
    private bool InPlace(in Operand b) => _element == Element.BF16 && b.Type == StorageType.BF16;

    /// <summary>Widens stored elements and rounds them to bfloat16.</summary>
    private void Round(StorageType type, byte* row, int first, byte* destination, int count, float* staging)
    {
        var values = (float*)row + first;
        if (type != StorageType.F32)
        {
            BlockFormats.Decode(type, row, first, staging, count);
            values = staging;
        }

        if (_element == Element.BF16)
        {
            HalfPrecision.EncodeBF16(values, (ushort*)destination, count);
        }
        else
        {
            HalfPrecision.RoundToBF16(values, (float*)destination, count);
        }
    }

    /// <summary>Rows of A, and rows of zeros after them.</summary>
    private readonly struct RoundJob(Accelerator accelerator, int m, int rows, int k, float* a, nint aRow, byte* rounded) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var rowBytes = k * accelerator.ElementBytes;
            foreach (var r in RowParts.Rows(part, rows))
            {
                var to = rounded + (long)r * rowBytes;
                if (r < m)
                {
                    accelerator.Round(StorageType.F32, (byte*)(a + r * aRow), 0, to, k, staging: null);
                }
                else
                {
                    new Span<byte>(to, rowBytes).Clear();
                }
            }
        }
    }

    /// <summary>Some columns of C: those of B rounded, then all rows.</summary>
    private readonly struct ColumnsJob(Accelerator accelerator, RowBlocks whole, RowBlocks last, int width, int m, int n, int k, byte* a, Operand b, float* c) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var j = part * width;
            var columns = Math.Min(width, n - j);
            var blocks = columns == width ? whole : last;
            var inPlace = accelerator.InPlace(b);
            var elements = inPlace ? 0 : accelerator.Floats((long)k * columns);
            var work = scratch.Floats(elements + Math.Max(b.Transposed ? k : columns, blocks.WorkBytes / sizeof(float) + 1));
            byte* from;
            if (inPlace)
            {
                from = b.Transposed ? b.Data + j * b.RowBytes : b.Data + BlockFormats.RowBytes(b.Type, j);
            }
            else
            {
                from = (byte*)work;
                RoundColumns(j, columns, from, work + elements);
            }

            accelerator.Multiply(blocks, m, a, from, c + j, (byte*)(work + elements));
        }

        private void RoundColumns(int j, int columns, byte* to, float* staging)
        {
            var (rows, count) = b.Transposed ? (columns, k) : (k, columns);
            var (skipped, first) = b.Transposed ? (j, 0) : (0, j);
            for (var r = 0; r < rows; r++)
            {
                accelerator.Round(b.Type, b.Data + (skipped + r) * b.RowBytes, first, to + (long)r * count * accelerator.ElementBytes, count, staging);
            }
        }
    }

    private void Multiply(RowBlocks blocks, int m, byte* a, byte* b, float* c, byte* work)
    {
        var threads = _library.OneThread();
        nint stream;
        Library.Check(_library.StreamCreate(&stream, _library.Engine, 1), "dnnl_stream_create");
        try
        {
            blocks.Run(stream, m, a, b, c, work);
        }
        finally
        {
            _ = _library.StreamDestroy(stream);
            _library.Restore(threads);
        }
    }
}
