using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors.Kernels.OneDnn;

/// <summary>What oneDNN compiles a product C [m, n] = A [m, k] B [k, n] (or +=) for.</summary>
/// <param name="Element">Of A and B; C is float32.</param>
/// <param name="BRow">Elements from one stored row of B to the next.</param>
/// <param name="Transposed">Whether a stored row of B holds a column.</param>
/// <param name="CRow">Floats from one row of C to the next.</param>
internal readonly record struct MatmulShape(Element Element, int M, int N, int K, nint BRow, bool Transposed, nint CRow, bool Accumulate);

/// <summary>dnnl_data_type_t.</summary>
internal enum Element
{
    BF16 = 2,
    F32 = 3,
}

/// <summary>
/// One compiled product. It holds no memory of its own, so that any number of threads may run it at once; its bits do not
/// depend on which.
/// </summary>
internal sealed unsafe class Matmul : IDisposable
{
    private const int Source = 1, Weights = 33, Destination = 17, Scratchpad = 80; // DNNL_ARG_…
    private const int UserScratchpad = 1, ScratchpadQuery = 136;

    private readonly Library _library;
    private readonly MemoryLayout _a, _b, _c;
    private readonly nint _descriptor, _primitive, _scratchpad;

    /// <exception cref="InvalidOperationException">oneDNN does not have such a product.</exception>
    public Matmul(Library library, MatmulShape shape)
    {
        _library = library;
        _a = new MemoryLayout(library, shape.Element, shape.M, shape.K, shape.K, 1);
        _b = new MemoryLayout(library, shape.Element, shape.K, shape.N, shape.Transposed ? 1 : shape.BRow, shape.Transposed ? shape.BRow : 1);
        _c = new MemoryLayout(library, Element.F32, shape.M, shape.N, shape.CRow, 1);
        var threads = library.OneThread();
        try
        {
            _descriptor = Describe(shape.Accumulate);
            nint primitive;
            Library.Check(library.PrimitiveCreate(&primitive, _descriptor), "dnnl_primitive_create");
            _primitive = primitive;
            _scratchpad = library.DescriptorMemory(_descriptor, ScratchpadQuery, 0);
            ScratchpadBytes = _scratchpad == 0 ? 0 : (long)library.MemorySize(_scratchpad);
        }
        catch
        {
            Dispose();
            throw;
        }
        finally
        {
            library.Restore(threads);
        }
    }

    /// <summary>Memory that <see cref="Run"/> works in.</summary>
    public long ScratchpadBytes { get; }

    public void Run(nint stream, void* a, void* b, float* c, void* scratchpad)
    {
        var arguments = stackalloc Library.Argument[4];
        var count = 0;
        try
        {
            Add(Source, _a.Handle, a);
            Add(Weights, _b.Handle, b);
            Add(Destination, _c.Handle, c);
            if (ScratchpadBytes > 0)
            {
                Add(Scratchpad, _scratchpad, scratchpad);
            }

            Library.Check(_library.PrimitiveExecute(_primitive, stream, count, arguments), "dnnl_primitive_execute");
        }
        finally
        {
            while (count > 0)
            {
                _ = _library.MemoryDestroy(arguments[--count].Memory);
            }
        }

        void Add(int name, nint layout, void* data)
        {
            nint memory;
            Library.Check(_library.MemoryCreate(&memory, layout, _library.Engine, data), "dnnl_memory_create");
            arguments[count++] = new(name, memory);
        }
    }

    public void Dispose()
    {
        if (_primitive != 0)
        {
            _ = _library.PrimitiveDestroy(_primitive);
        }

        if (_descriptor != 0)
        {
            _ = _library.DescriptorDestroy(_descriptor);
        }

        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
    }

    private nint Describe(bool accumulate)
    {
        const int OperationBytes = 8192; // dnnl_matmul_desc_t has 2800
        nint attributes, operations, descriptor;
        Library.Check(_library.AttributesCreate(&attributes), "dnnl_primitive_attr_create");
        try
        {
            Library.Check(_library.SetScratchpadMode(attributes, UserScratchpad), "dnnl_primitive_attr_set_scratchpad_mode");
            if (accumulate)
            {
                Library.Check(_library.PostOperationsCreate(&operations), "dnnl_post_ops_create");
                var status = _library.Major == 2
                    ? ((delegate* unmanaged<nint, float, int>)_library.AppendSum)(operations, 1)
                    : ((delegate* unmanaged<nint, float, int, int, int>)_library.AppendSum)(operations, 1, 0, (int)Element.F32);
                status = status != 0 ? status : _library.SetPostOperations(attributes, operations);
                _ = _library.PostOperationsDestroy(operations);
                Library.Check(status, "dnnl_post_ops_append_sum");
            }

            if (_library.Major == 2)
            {
                var operation = stackalloc byte[OperationBytes];
                Library.Check(_library.InitMatmul2(operation, _a.Handle, _b.Handle, 0, _c.Handle), "dnnl_matmul_desc_init");
                Library.Check(_library.DescriptorCreate2(&descriptor, operation, attributes, _library.Engine, 0), "dnnl_primitive_desc_create");
            }
            else
            {
                Library.Check(_library.CreateMatmul3(&descriptor, _library.Engine, _a.Handle, _b.Handle, 0, _c.Handle, attributes), "dnnl_matmul_primitive_desc_create");
            }

            return descriptor;
        }
        finally
        {
            _ = _library.AttributesDestroy(attributes);
        }
    }

    /// <summary>dnnl_memory_desc_t of a matrix: a struct in version 2, a handle in version 3, a pointer for those who use it.</summary>
    private sealed class MemoryLayout : IDisposable
    {
        private readonly Library _library;
        private readonly NativeBuffer? _struct;

        public MemoryLayout(Library library, Element element, long rows, long columns, long rowStride, long columnStride)
        {
            const int StructBytes = 4096; // it has 696
            _library = library;
            var sizes = stackalloc long[] { rows, columns };
            var strides = stackalloc long[] { rowStride, columnStride };
            if (library.Major == 2)
            {
                _struct = new NativeBuffer(StructBytes);
                Handle = (nint)_struct.Floats;
                Library.Check(library.InitMemory2(Handle, 2, sizes, (int)element, strides), "dnnl_memory_desc_init_by_strides");
            }
            else
            {
                nint handle;
                Library.Check(library.CreateMemory3(&handle, 2, sizes, (int)element, strides), "dnnl_memory_desc_create_with_strides");
                Handle = handle;
            }
        }

        public nint Handle { get; }

        public void Dispose()
        {
            if (_struct is not null)
            {
                _struct.Dispose();
            }
            else
            {
                _ = _library.DestroyMemory3(Handle);
            }
        }
    }
}
