using System.Runtime.InteropServices;

namespace Apprentice.Tensors.Kernels.OneDnn;

/// <summary>
/// The functions of oneDNN's C interface (versions 2 and 3) that a matrix product needs, found at run time. The program
/// is complete without them. Handles are opaque; a status other than 0 is an error.
/// </summary>
internal sealed unsafe class Library
{
    private const int Cpu = 1, Omp = 2, Sequential = 1;

    private readonly delegate* unmanaged<int> _ompMaxThreads;
    private readonly delegate* unmanaged<int, void> _ompSetThreads;

    /// <param name="find">Gives the address of a function or throws EntryPointNotFoundException.</param>
    internal Library(Func<string, nint> find)
    {
        var version = ((delegate* unmanaged<int*>)find("dnnl_version"))();
        (Major, var minor, var patch) = (version[0], version[1], version[2]);
        Version = $"{Major}.{minor}.{patch}";
        if (Major is not (2 or 3))
        {
            throw new NotSupportedException($"oneDNN {Version} is there; versions 2 and 3 are known");
        }

        // The fields after the three numbers: a pointer to text, then how it makes threads. They are ours to make: one
        // primitive runs on one thread.
        var threading = *(uint*)((byte*)version + 24);
        if (threading == Omp)
        {
            // Looked up through oneDNN, so that it is the OpenMP that this oneDNN uses.
            _ompMaxThreads = (delegate* unmanaged<int>)find("omp_get_max_threads");
            _ompSetThreads = (delegate* unmanaged<int, void>)find("omp_set_num_threads");
        }
        else if (threading != Sequential)
        {
            throw new NotSupportedException($"oneDNN {Version} is there, built for other threads than OpenMP's");
        }

        Isa = ((delegate* unmanaged<int>)find("dnnl_get_effective_cpu_isa"))();
        MemoryCreate = (delegate* unmanaged<nint*, nint, nint, void*, int>)find("dnnl_memory_create");
        MemoryDestroy = (delegate* unmanaged<nint, int>)find("dnnl_memory_destroy");
        StreamCreate = (delegate* unmanaged<nint*, nint, uint, int>)find("dnnl_stream_create");
        StreamDestroy = (delegate* unmanaged<nint, int>)find("dnnl_stream_destroy");
        PrimitiveExecute = (delegate* unmanaged<nint, nint, int, Argument*, int>)find("dnnl_primitive_execute");
        PrimitiveCreate = (delegate* unmanaged<nint*, nint, int>)find("dnnl_primitive_create");
        PrimitiveDestroy = (delegate* unmanaged<nint, int>)find("dnnl_primitive_destroy");
        DescriptorDestroy = (delegate* unmanaged<nint, int>)find("dnnl_primitive_desc_destroy");
        DescriptorMemory = (delegate* unmanaged<nint, int, int, nint>)find("dnnl_primitive_desc_query_md");
        MemorySize = (delegate* unmanaged<nint, nuint>)find("dnnl_memory_desc_get_size");
        AttributesCreate = (delegate* unmanaged<nint*, int>)find("dnnl_primitive_attr_create");
        AttributesDestroy = (delegate* unmanaged<nint, int>)find("dnnl_primitive_attr_destroy");
        SetScratchpadMode = (delegate* unmanaged<nint, int, int>)find("dnnl_primitive_attr_set_scratchpad_mode");
        SetPostOperations = (delegate* unmanaged<nint, nint, int>)find("dnnl_primitive_attr_set_post_ops");
        PostOperationsCreate = (delegate* unmanaged<nint*, int>)find("dnnl_post_ops_create");
        PostOperationsDestroy = (delegate* unmanaged<nint, int>)find("dnnl_post_ops_destroy");
        AppendSum = find("dnnl_post_ops_append_sum");
        if (Major == 2)
        {
            InitMemory2 = (delegate* unmanaged<nint, int, long*, int, long*, int>)find("dnnl_memory_desc_init_by_strides");
            InitMatmul2 = (delegate* unmanaged<byte*, nint, nint, nint, nint, int>)find("dnnl_matmul_desc_init");
            DescriptorCreate2 = (delegate* unmanaged<nint*, byte*, nint, nint, nint, int>)find("dnnl_primitive_desc_create");
        }
        else
        {
            CreateMemory3 = (delegate* unmanaged<nint*, int, long*, int, long*, int>)find("dnnl_memory_desc_create_with_strides");
            DestroyMemory3 = (delegate* unmanaged<nint, int>)find("dnnl_memory_desc_destroy");
            CreateMatmul3 = (delegate* unmanaged<nint*, nint, nint, nint, nint, nint, nint, int>)find("dnnl_matmul_primitive_desc_create");
        }

        nint engine;
        Check(((delegate* unmanaged<nint*, int, nuint, int>)find("dnnl_engine_create"))(&engine, Cpu, 0), "dnnl_engine_create");
        Engine = engine;
    }

    public int Major { get; }

    public string Version { get; }

    /// <summary>The instructions that oneDNN uses here, as the bits of dnnl_cpu_isa_t.</summary>
    public int Isa { get; }

    /// <summary>For the life of the process, as the library is.</summary>
    public nint Engine { get; }

    public delegate* unmanaged<nint*, nint, nint, void*, int> MemoryCreate { get; }
    public delegate* unmanaged<nint, int> MemoryDestroy { get; }
    public delegate* unmanaged<nint*, nint, uint, int> StreamCreate { get; }
    public delegate* unmanaged<nint, int> StreamDestroy { get; }
    public delegate* unmanaged<nint, nint, int, Argument*, int> PrimitiveExecute { get; }
    public delegate* unmanaged<nint*, nint, int> PrimitiveCreate { get; }
    public delegate* unmanaged<nint, int> PrimitiveDestroy { get; }
    public delegate* unmanaged<nint, int> DescriptorDestroy { get; }
    public delegate* unmanaged<nint, int, int, nint> DescriptorMemory { get; }
    public delegate* unmanaged<nint, nuint> MemorySize { get; }
    public delegate* unmanaged<nint*, int> AttributesCreate { get; }
    public delegate* unmanaged<nint, int> AttributesDestroy { get; }
    public delegate* unmanaged<nint, int, int> SetScratchpadMode { get; }
    public delegate* unmanaged<nint, nint, int> SetPostOperations { get; }
    public delegate* unmanaged<nint*, int> PostOperationsCreate { get; }
    public delegate* unmanaged<nint, int> PostOperationsDestroy { get; }

    /// <summary>(operations, scale) in version 2, (operations, scale, zero point, type) in version 3.</summary>
    public nint AppendSum { get; }

    // Version 2 has descriptors by value, version 3 behind handles.
    public delegate* unmanaged<nint, int, long*, int, long*, int> InitMemory2 { get; }
    public delegate* unmanaged<byte*, nint, nint, nint, nint, int> InitMatmul2 { get; }
    public delegate* unmanaged<nint*, byte*, nint, nint, nint, int> DescriptorCreate2 { get; }
    public delegate* unmanaged<nint*, int, long*, int, long*, int> CreateMemory3 { get; }
    public delegate* unmanaged<nint, int> DestroyMemory3 { get; }
    public delegate* unmanaged<nint*, nint, nint, nint, nint, nint, nint, int> CreateMatmul3 { get; }

    /// <summary>dnnl_exec_arg_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Argument(int name, nint memory)
    {
        public readonly int Name = name;
        public readonly nint Memory = memory;
    }

    /// <summary>The first of these libraries that is there and known, or null and why.</summary>
    public static Library? TryLoad(ReadOnlySpan<string> names, out string? why)
    {
        why = null;
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var handle))
            {
                continue;
            }

            try
            {
                return new Library(function => NativeLibrary.GetExport(handle, function));
            }
            catch (NotSupportedException e)
            {
                why ??= e.Message;
            }
            catch (EntryPointNotFoundException e)
            {
                why ??= $"{name} is not oneDNN as it is known: {e.Message}";
            }
        }

        why ??= $"oneDNN is not here ({string.Join(", ", names!)})";
        return null;
    }

    /// <summary>Keeps oneDNN's own threads out of the calling thread's work; gives what to <see cref="Restore"/> afterwards.</summary>
    public int OneThread()
    {
        if (_ompSetThreads == null)
        {
            return 0;
        }

        var before = _ompMaxThreads();
        _ompSetThreads(1);
        return before;
    }

    public void Restore(int threads)
    {
        if (_ompSetThreads != null)
        {
            _ompSetThreads(threads);
        }
    }

    public static void Check(int status, string function)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"oneDNN's {function} gave status {status}; 'accelerator: off' does without oneDNN");
        }
    }
}
