using System.CommandLine;
using Apprentice.Models.Generation;

namespace Apprentice.Cli.Commands;

/// <summary>The options that say how tokens are chosen; the same in every command that generates.</summary>
internal sealed class SamplingOptionSet
{
    private static readonly SamplingOptions Defaults = new();

    private readonly int longest;
    private readonly Option<int?> maxTokens;
    private readonly Option<double?> temperature = CommonOptions.Number("--temperature", "0 is greedy (default); higher is more varied.");
    private readonly Option<int?> topK = CommonOptions.Whole("--top-k", "Choose among the N most probable tokens.");
    private readonly Option<double?> topP = CommonOptions.Number("--top-p", "Choose among the most probable tokens that together reach X.");
    private readonly Option<double?> minP = CommonOptions.Number("--min-p", "Drop tokens less probable than X times the most probable one.");
    private readonly Option<double?> penalty = CommonOptions.Number("--repetition-penalty", "Above 1 makes tokens that were used already less likely.");
    private readonly Option<int?> seed = CommonOptions.Whole("--seed", "The same seed gives the same answer (default 0).");
    private readonly Option<string[]> stop = new("--stop") { Description = "End the answer before this text; may be given more than once.", HelpName = "TEXT" };

    /// <param name="longest">Default of <c>--max-tokens</c>; null: that of <see cref="SamplingOptions"/>.</param>
    public SamplingOptionSet(int? longest = null)
    {
        this.longest = longest ?? Defaults.MaxTokens;
        maxTokens = CommonOptions.Whole("--max-tokens", $"Longest answer in tokens (default {this.longest}).");
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { maxTokens, temperature, topK, topP, minP, penalty, seed, stop })
        {
            command.Add(option);
        }
    }

    /// <exception cref="Data.InputException">A value is out of its range.</exception>
    public SamplingOptions Read(ParseResult parsed)
    {
        var options = new SamplingOptions
        {
            MaxTokens = parsed.GetValue(maxTokens) ?? longest,
            Temperature = parsed.GetValue(temperature) ?? Defaults.Temperature,
            TopK = parsed.GetValue(topK) ?? Defaults.TopK,
            TopP = parsed.GetValue(topP) ?? Defaults.TopP,
            MinP = parsed.GetValue(minP) ?? Defaults.MinP,
            RepetitionPenalty = parsed.GetValue(penalty) ?? Defaults.RepetitionPenalty,
            Seed = parsed.GetValue(seed) ?? Defaults.Seed,
            Stop = parsed.GetValue(stop) ?? [],
        };
        options.Validate();
        return options;
    }
}
