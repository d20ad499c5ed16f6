using System.Globalization;
using Apprentice.Benchmarks;
using Apprentice.Tensors;

switch (args)
{
    case ["gemm", .. var rest]:
        GemmBenchmark.Run(new Options(rest));
        return 0;
    case ["inference", var model, ..]:
        InferenceBenchmark.Run(model, Number(2) ?? 5, Number(3), together: args.ElementAtOrDefault(4) != "alone");
        return 0;
    case ["training-step", var model, .. var rest]:
        TrainingStepBenchmark.Run(model, new Options(rest));
        return 0;
    case ["training-loss", var model, var data, .. var rest]:
        TrainingLossBenchmark.Run(model, data, new Options(rest));
        return 0;
    case ["pretraining-step", .. var rest]:
        TrainingStepBenchmark.Run(null, new Options(rest));
        return 0;
    case ["tokenizing", var tokenizer, var text, .. var rest]:
        TokenizingBenchmark.Run(tokenizer, text, new Options(rest));
        return 0;
    case ["random-model", var file, .. var rest]:
        RandomModel.Write(file, ModelShape.From(new Options(rest)));
        return 0;
    case ["top-tokens", var model, var data, ..]:
        TopTokens.Write(model, data, Number(3) ?? 10, args.ElementAtOrDefault(4));
        return 0;
    case ["serving", var phase, var url, .. var rest]:
        await ServingBenchmark.Run(phase, url, new Options(rest));
        return 0;
    case ["peak"]:
        using (var engine = new Engine())
        {
            Console.WriteLine(PeakRate.Measure(engine, seconds: 3).ToString("0.0", CultureInfo.InvariantCulture));
        }

        return 0;
    default:
        Console.Error.WriteLine("usage: gemm [--threads N]                  a table of matrix products against the peak of the same run, for 1 and 2 threads");
        Console.Error.WriteLine("       inference MODEL [RUNS [THREADS [alone]]]  tokens a second: prompt, generation, and 32 prompts at once (not: alone); medians of RUNS");
        Console.Error.WriteLine("       training-step MODEL [OPTIONS]       LoRA steps on random tokens: speed, share of the peak, memory, same bits; OPTIONS with defaults:");
        Console.Error.WriteLine("           --batch 4 --tokens 256 --supervised all --shared 0 --rank 16 --recompute off --micro-batch-tokens 2048 --threads CORES --steps 5 --warm-up 2 --verify 2 --accelerator off (auto, imitated)");
        Console.Error.WriteLine("       training-loss MODEL DATA [OPTIONS]  the same LoRA steps on examples, in float32 and accelerated: mean losses of the last steps; OPTIONS with defaults:");
        Console.Error.WriteLine("           --steps 200 --last 50 --batch 16 --threads CORES --accelerator auto (imitated)");
        Console.Error.WriteLine("       pretraining-step [OPTIONS]          steps that train all weights of a new model: the same options, and --shape NAME (built-in: the base model that comes with Apprentice)");
        Console.Error.WriteLine("       tokenizing TOKENIZER.json TEXT [OPTIONS]  megabytes a second with one thread: whole, line by line, decoded; medians; OPTIONS with defaults: --rounds 7");
        Console.Error.WriteLine("       random-model FILE.gguf [OPTIONS]    a Q4_0 model of random weights; --shape NAME, and --layers, --width, --heads, --key-value-heads, --feed-forward instead of its");
        Console.Error.WriteLine("       top-tokens MODEL DATA [PROMPTS [ADAPTER]]  a JSON line a prompt: its tokens, after each the most likely next one, and its margin over the second");
        Console.Error.WriteLine("       serving PHASE URL [OPTIONS]         a running server: single, load, short, greedy or parallel; benchmarks/serving puts them together; OPTIONS with defaults:");
        Console.Error.WriteLine("           --model base --prompts benchmarks/serving-prompts.txt --tokens 128 --process ID --streams 64 (parallel: 8) --seconds 120 --requests 2000 --answers 50 --others 32 --ends IDS");
        Console.Error.WriteLine("       peak                                the fp32 peak of all cores in GFLOP/s, by multiply-adds that never leave the registers");
        return 2;
}

int? Number(int i) => i < args.Length ? int.Parse(args[i], CultureInfo.InvariantCulture) : null;
