using Apprentice.Tensors;
using Apprentice.Tensors.Kernels.OneDnn;

namespace Apprentice.Benchmarks;

/// <summary>Engines with and without an accelerator, by the word given on the command line.</summary>
internal static class Engines
{
    /// <param name="accelerator">off; auto: where library and CPU have it; imitated: its rounding, by float32 instructions.</param>
    public static Engine Create(int threads, string accelerator) => accelerator switch
    {
        "off" => new Engine(threads),
        "auto" => new Engine(threads, accelerate: true),
        "imitated" => new Engine(threads, Accelerator.TryImitate(out var why) ?? throw new ArgumentException(why)),
        _ => throw new ArgumentException($"--accelerator is '{accelerator}'; it is off, auto or imitated"),
    };

    public static void Describe(Engine engine) =>
        Console.WriteLine($"accelerator {engine.Accelerator}{(engine.WhyNoAccelerator is { } why ? $" ({why})" : "")}");
}
