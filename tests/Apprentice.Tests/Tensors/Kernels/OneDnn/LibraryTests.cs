using Apprentice.Tensors;
using Apprentice.Tensors.Kernels.OneDnn;

namespace Apprentice.Tests.Tensors.Kernels.OneDnn;

public sealed class LibraryTests
{
    [Fact]
    public void A_library_that_is_not_there_or_is_another_is_none()
    {
        Assert.Null(Library.TryLoad(["libdnnl.so.999"], out var why));
        Assert.Contains("libdnnl.so.999", why, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Another_library_by_that_name_is_none()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a library that every Linux has");
        Assert.Null(Library.TryLoad(["libm.so.6"], out var why));
        Assert.Contains("libm.so.6", why, StringComparison.Ordinal);
        Assert.Contains("dnnl_version", why, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_systems_list_of_instructions_says_the_same()
    {
        Skip.IfNot(File.Exists("/proc/cpuinfo"), "needs Linux's /proc/cpuinfo");
        var flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? [];
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx512F.IsSupported || !flags.Contains("avx512f"), "AVX-512 is switched off");
        Assert.Equal(flags.Contains("avx512_bf16") || flags.Contains("amx_bf16"), Bf16Instructions.Available);
    }

    [Fact]
    public void An_engine_says_what_it_has_and_why_it_has_nothing()
    {
        using var off = new Engine(1);
        Assert.Equal("none", off.Accelerator);
        Assert.NotNull(off.WhyNoAccelerator);
        using var on = new Engine(1, accelerate: true);
        Assert.Equal(on.Accelerator == "none", on.WhyNoAccelerator is not null);
        Assert.Matches("^(none|onednn [23]\\.[0-9.]+ bf16 (avx512|amx))$", on.Accelerator);
    }
}
