using Apprentice.Benchmarks;

switch (args)
{
    case ["gemm", ..]:
        GemmBenchmark.Run(args.Length > 1 ? double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1);
        return 0;
    case ["peak"]:
        Console.WriteLine(PeakRate.Measure(Environment.ProcessorCount, seconds: 3).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture));
        return 0;
    default:
        Console.Error.WriteLine("usage: gemm [SECONDS]    matrix products against the peak of the same run; SECONDS for each figure");
        Console.Error.WriteLine("       peak              the fp32 peak of all cores in GFLOP/s, by multiply-adds that never leave the registers");
        return 2;
}
