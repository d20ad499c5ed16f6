using System.Runtime.InteropServices;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Kernels.OneDnn;

namespace Apprentice.Tests.Tensors.Kernels.OneDnn;

/// <summary>
/// The part of oneDNN's C interface that we use, versions 2 and 3, in scalar C#: so that bfloat16 elements and both
/// versions are tested on every machine. Refuses what the interface forbids; counts what is not destroyed.
/// </summary>
internal static unsafe class FakeOneDnn
{
    private const int Invalid = 2;
    private static int* _version;
    private static int _live;

    [ThreadStatic]
    private static int _threads;

    public static Library Version2 { get; } = Open(2);

    public static Library Version3 { get; } = Open(3);

    /// <summary>Objects that were created and not destroyed.</summary>
    public static int Live => Volatile.Read(ref _live);

    private static Library Open(int version)
    {
        // major, minor, patch, pointer to text, OpenMP, no GPU
        _version = (int*)NativeMemory.AllocZeroed(40);
        (_version[0], _version[1], _version[2], _version[6]) = (version, 99, 0, 2);
        return new Library(Find);
    }

    private struct Layout
    {
        public long Rows, Columns, RowStride, ColumnStride;
        public int Type;

        public readonly bool Valid => Rows > 0 && Columns > 0 && Type is 2 or 3;

        public readonly float At(void* data, long row, long column)
        {
            var i = row * RowStride + column * ColumnStride;
            return Type == 2 ? HalfPrecision.FromBF16(((ushort*)data)[i]) : ((float*)data)[i];
        }
    }

    private struct Product
    {
        public Layout A, B, C;
        public int Sum;
    }

    private struct Attributes
    {
        public int UserScratchpad, Sum;
    }

    private struct Memory
    {
        public Layout Layout;
        public void* Data;
    }

    private static nint Find(string name) => (name, _version[0]) switch
    {
        ("dnnl_version", _) => (nint)(delegate* unmanaged<int*>)&Version,
        ("dnnl_get_effective_cpu_isa", _) => (nint)(delegate* unmanaged<int>)&Isa,
        ("omp_get_max_threads", _) => (nint)(delegate* unmanaged<int>)&GetThreads,
        ("omp_set_num_threads", _) => (nint)(delegate* unmanaged<int, void>)&SetThreads,
        ("dnnl_engine_create", _) => (nint)(delegate* unmanaged<nint*, int, nuint, int>)&EngineCreate,
        ("dnnl_stream_create", _) => (nint)(delegate* unmanaged<nint*, nint, uint, int>)&StreamCreate,
        ("dnnl_post_ops_create", _) => (nint)(delegate* unmanaged<nint*, int>)&Create,
        ("dnnl_primitive_attr_create", _) => (nint)(delegate* unmanaged<nint*, int>)&Create,
        ("dnnl_memory_create", _) => (nint)(delegate* unmanaged<nint*, nint, nint, void*, int>)&MemoryCreate,
        ("dnnl_primitive_create", _) => (nint)(delegate* unmanaged<nint*, nint, int>)&PrimitiveCreate,
        ("dnnl_primitive_execute", _) => (nint)(delegate* unmanaged<nint, nint, int, Library.Argument*, int>)&Execute,
        ("dnnl_primitive_desc_query_md", _) => (nint)(delegate* unmanaged<nint, int, int, nint>)&Query,
        ("dnnl_memory_desc_get_size", _) => (nint)(delegate* unmanaged<nint, nuint>)&Size,
        ("dnnl_primitive_attr_set_scratchpad_mode", _) => (nint)(delegate* unmanaged<nint, int, int>)&SetScratchpadMode,
        ("dnnl_primitive_attr_set_post_ops", _) => (nint)(delegate* unmanaged<nint, nint, int>)&SetPostOperations,
        ("dnnl_post_ops_append_sum", 2) => (nint)(delegate* unmanaged<nint, float, int>)&AppendSum2,
        ("dnnl_post_ops_append_sum", 3) => (nint)(delegate* unmanaged<nint, float, int, int, int>)&AppendSum3,
        ("dnnl_memory_desc_init_by_strides", 2) => (nint)(delegate* unmanaged<nint, int, long*, int, long*, int>)&InitMemory2,
        ("dnnl_matmul_desc_init", 2) => (nint)(delegate* unmanaged<byte*, nint, nint, nint, nint, int>)&InitMatmul2,
        ("dnnl_primitive_desc_create", 2) => (nint)(delegate* unmanaged<nint*, byte*, nint, nint, nint, int>)&DescriptorCreate2,
        ("dnnl_memory_desc_create_with_strides", 3) => (nint)(delegate* unmanaged<nint*, int, long*, int, long*, int>)&CreateMemory3,
        ("dnnl_matmul_primitive_desc_create", 3) => (nint)(delegate* unmanaged<nint*, nint, nint, nint, nint, nint, nint, int>)&CreateMatmul3,
        _ when name.EndsWith("_destroy", StringComparison.Ordinal) => (nint)(delegate* unmanaged<nint, int>)&Destroy,
        _ => throw new EntryPointNotFoundException(name),
    };

    private static T* New<T>(nint* handle)
        where T : unmanaged
    {
        Interlocked.Increment(ref _live);
        *handle = (nint)NativeMemory.AllocZeroed((nuint)sizeof(T) + 64);
        return (T*)*handle;
    }

    [UnmanagedCallersOnly]
    private static int Destroy(nint handle)
    {
        Interlocked.Decrement(ref _live);
        NativeMemory.Free((void*)handle);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int* Version() => _version;

    [UnmanagedCallersOnly]
    private static int Isa() => 0xE7;

    [UnmanagedCallersOnly]
    private static int GetThreads() => _threads == 0 ? 8 : _threads;

    [UnmanagedCallersOnly]
    private static void SetThreads(int threads) => _threads = threads;

    [UnmanagedCallersOnly]
    private static int EngineCreate(nint* engine, int kind, nuint index)
    {
        *engine = 77;
        return kind == 1 && index == 0 ? 0 : Invalid;
    }

    [UnmanagedCallersOnly]
    private static int StreamCreate(nint* stream, nint engine, uint flags)
    {
        New<long>(stream);
        return engine == 77 && flags == 1 ? 0 : Invalid;
    }

    [UnmanagedCallersOnly]
    private static int Create(nint* handle)
    {
        New<Attributes>(handle);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SetScratchpadMode(nint attributes, int mode) => (((Attributes*)attributes)->UserScratchpad = mode) == 1 ? 0 : Invalid;

    [UnmanagedCallersOnly]
    private static int SetPostOperations(nint attributes, nint operations)
    {
        ((Attributes*)attributes)->Sum = ((Attributes*)operations)->Sum;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int AppendSum2(nint operations, float scale) => scale == 1 ? (((Attributes*)operations)->Sum = 1) - 1 : Invalid;

    [UnmanagedCallersOnly]
    private static int AppendSum3(nint operations, float scale, int zeroPoint, int type) =>
        scale == 1 && zeroPoint == 0 && type == 3 ? (((Attributes*)operations)->Sum = 1) - 1 : Invalid;

    private static int Fill(Layout* layout, int dimensions, long* sizes, int type, long* strides)
    {
        *layout = new Layout { Rows = sizes[0], Columns = sizes[1], RowStride = strides[0], ColumnStride = strides[1], Type = type };
        return dimensions == 2 && layout->Valid ? 0 : Invalid;
    }

    [UnmanagedCallersOnly]
    private static int InitMemory2(nint layout, int dimensions, long* sizes, int type, long* strides) => Fill((Layout*)layout, dimensions, sizes, type, strides);

    [UnmanagedCallersOnly]
    private static int CreateMemory3(nint* layout, int dimensions, long* sizes, int type, long* strides) => Fill(New<Layout>(layout), dimensions, sizes, type, strides);

    private static int Fill(Product* product, nint a, nint b, nint bias, nint c)
    {
        *product = new Product { A = *(Layout*)a, B = *(Layout*)b, C = *(Layout*)c };
        var fits = product->A.Rows == product->C.Rows && product->A.Columns == product->B.Rows && product->B.Columns == product->C.Columns;
        return fits && bias == 0 && product->A.Type == product->B.Type && product->C.Type == 3 ? 0 : Invalid;
    }

    private static int Finish(Product* product, nint attributes, nint engine)
    {
        product->Sum = ((Attributes*)attributes)->Sum;
        return engine == 77 && ((Attributes*)attributes)->UserScratchpad == 1 && _threads == 1 ? 0 : Invalid;
    }

    [UnmanagedCallersOnly]
    private static int InitMatmul2(byte* operation, nint a, nint b, nint bias, nint c) => Fill((Product*)operation, a, b, bias, c);

    [UnmanagedCallersOnly]
    private static int DescriptorCreate2(nint* descriptor, byte* operation, nint attributes, nint engine, nint hint)
    {
        var product = New<Product>(descriptor);
        *product = *(Product*)operation;
        return Finish(product, attributes, engine) | (hint == 0 ? 0 : Invalid);
    }

    [UnmanagedCallersOnly]
    private static int CreateMatmul3(nint* descriptor, nint engine, nint a, nint b, nint bias, nint c, nint attributes)
    {
        var product = New<Product>(descriptor);
        return Fill(product, a, b, bias, c) | Finish(product, attributes, engine);
    }

    [UnmanagedCallersOnly]
    private static int PrimitiveCreate(nint* primitive, nint descriptor)
    {
        *New<Product>(primitive) = *(Product*)descriptor;
        return 0;
    }

    /// <summary>The working memory is described as C is.</summary>
    [UnmanagedCallersOnly]
    private static nint Query(nint descriptor, int what, int index) => what == 136 && index == 0 ? (nint)(&((Product*)descriptor)->C) : 0;

    [UnmanagedCallersOnly]
    private static nuint Size(nint layout) => (nuint)(((Layout*)layout)->Rows * ((Layout*)layout)->Columns * sizeof(float));

    [UnmanagedCallersOnly]
    private static int MemoryCreate(nint* memory, nint layout, nint engine, void* data)
    {
        *New<Memory>(memory) = new Memory { Layout = *(Layout*)layout, Data = data };
        return engine == 77 && data != null ? 0 : Invalid;
    }

    [UnmanagedCallersOnly]
    private static int Execute(nint primitive, nint stream, int count, Library.Argument* arguments)
    {
        if (stream == 0 || count != 4 || _threads != 1)
        {
            return Invalid;
        }

        var product = *(Product*)primitive;
        var data = stackalloc void*[128];
        for (var i = 0; i < count; i++)
        {
            data[arguments[i].Name] = ((Memory*)arguments[i].Memory)->Data;
        }

        var (a, b) = ((nint)data[1], (nint)data[33]);
        var (c, work) = ((nint)data[17], (nint)data[80]);
        if (a == 0 || b == 0 || c == 0 || work == 0 || work % 64 != 0)
        {
            return Invalid;
        }

        new Span<float>((float*)work, (int)(product.C.Rows * product.C.Columns)).Fill(float.NaN);
        for (var i = 0; i < product.C.Rows; i++)
        {
            for (var j = 0; j < product.C.Columns; j++)
            {
                var to = (float*)c + i * product.C.RowStride + j * product.C.ColumnStride;
                var sum = product.Sum == 1 ? *to : 0f;
                for (var p = 0; p < product.A.Columns; p++)
                {
                    sum += product.A.At((void*)a, i, p) * product.B.At((void*)b, p, j);
                }

                *to = sum;
            }
        }

        return 0;
    }
}
