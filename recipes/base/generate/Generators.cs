namespace Apprentice.Recipes.Base;

/// <summary>One kind of instruction data.</summary>
/// <param name="Main">Characters for the steps before the last phase.</param>
/// <param name="Anneal">Characters for the last phase.</param>
/// <param name="Make">How one example is made.</param>
public sealed record Generator(string Name, int Main, int Anneal, Func<Draw, Instruction> Make)
{
    private const int K = 1000;

    /// <summary>
    /// Every generator: fourteen million characters of tasks, half of them late; orders of shops, late only; and copying, which is
    /// also half of the warm-up. What fine-tuning on few examples needs most has most.
    /// </summary>
    public static IReadOnlyList<Generator> All { get; } =
    [
        new("copying", 3500 * K, 400 * K, Copying.Make),
        new("classification", 1820 * K, 1820 * K, Classification.Make),
        new("extraction", 1050 * K, 1050 * K, Extraction.Make),
        new("tickets", 980 * K, 980 * K, Service.Ticket),
        new("orders", 0, 3200 * K, Service.Order),
        new("replies", 840 * K, 840 * K, Service.Reply),
        new("passages", 700 * K, 700 * K, Passages.Make),
        new("rewriting", 630 * K, 630 * K, Rewriting.Make),
        new("formatting", 420 * K, 420 * K, Formatting.Make),
        new("arithmetic", 280 * K, 280 * K, Arithmetic.Make),
        new("refusals", 210 * K, 210 * K, Questions.Refusal),
        new("talk", 70 * K, 70 * K, Questions.Talk),
    ];

    /// <summary>The example of that index, the same always.</summary>
    public Instruction Example(ulong seed, long index) => Make(new Draw(seed, Name, index));
}
