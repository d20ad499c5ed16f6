using Apprentice.Benchmarks;

switch (args)
{
    case ["gemm", ..]:
        GemmBenchmark.Run(args.Length > 1 ? double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1);
        return 0;
    default:
        Console.Error.WriteLine("usage: gemm [SECONDS]    matrix products against the peak of the same run; SECONDS for each figure");
        return 2;
}
