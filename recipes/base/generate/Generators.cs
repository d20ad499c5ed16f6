namespace Apprentice.Recipes.Base;

/// <summary>One kind of instruction data: its share of all of ours, and how one example is made.</summary>
public sealed record Generator(string Name, double Share, Func<Draw, Instruction> Make)
{
    /// <summary>Every generator; the shares (of documents) add up to 1. What fine-tuning on few examples needs most has most.</summary>
    public static IReadOnlyList<Generator> All { get; } =
    [
        new("classification", 0.26, Classification.Make),
        new("extraction", 0.15, Extraction.Make),
        new("tickets", 0.14, Service.Ticket),
        new("replies", 0.12, Service.Reply),
        new("passages", 0.10, Passages.Make),
        new("rewriting", 0.09, Rewriting.Make),
        new("formatting", 0.06, Formatting.Make),
        new("arithmetic", 0.04, Arithmetic.Make),
        new("refusals", 0.03, Questions.Refusal),
        new("talk", 0.01, Questions.Talk),
    ];

    /// <summary>The example of that index, the same always.</summary>
    public Instruction Example(ulong seed, long index) => Make(new Draw(seed, Name, index));
}
