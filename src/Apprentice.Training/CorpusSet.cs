using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Training.Recipes;

namespace Apprentice.Training;

/// <summary>
/// The documents of a pretraining: a step takes so many tokens of them. The steps over which the learning rate rises, and
/// those over which it falls, may have documents of their own.
/// </summary>
public sealed class CorpusSet : TrainingSet
{
    private readonly Phase? _warmup;
    private readonly Phase _main;
    private readonly Phase? _anneal;

    public CorpusSet(ResolvedRecipe recipe, TokenCorpus train, TokenCorpus? warmup, TokenCorpus? anneal, TokenCorpus? validation)
    {
        Longest = recipe.MaxLength;
        TotalSteps = recipe.TotalSteps(train.Tokens);
        var end = anneal is null ? TotalSteps : recipe.DecayStart(TotalSteps);
        var start = warmup is null ? 0 : Math.Min(recipe.Warmup.Of(TotalSteps), end);
        _warmup = warmup is null ? null : new Phase(warmup, Order(warmup, RandomStream.WarmupOrder), 0, start);
        _main = new Phase(train, Order(train, RandomStream.EpochOrder), start, end);
        _anneal = anneal is null ? null : new Phase(anneal, Order(anneal, RandomStream.AnnealOrder), end, TotalSteps);
        Validation = validation is null ? [] : new CorpusOrder(validation, recipe.MaxLength, recipe.MaxLength, 0, RandomStream.EpochOrder).InOrder();
        ValidationBytes = validation?.Bytes;

        CorpusOrder Order(TokenCorpus corpus, RandomStream stream) => new(corpus, recipe.MaxLength, recipe.BatchTokens, (ulong)recipe.Seed, stream);
    }

    public override int TotalSteps { get; }

    public override int ClosingSteps => Math.Max(1, TotalSteps / 20);

    public override int Longest { get; }

    public override long LargestStep => _main.Order.StepTokens + (long)Longest;

    public override IReadOnlyList<TokenizedExample> Validation { get; }

    public override long? ValidationBytes { get; }

    public override string Description
    {
        get
        {
            var (corpus, order) = (_main.Corpus, _main.Order);
            var warmup = _warmup is null ? "" : FormattableString.Invariant($"; before, to step {_warmup.End}, {_warmup.Corpus.Documents:N0} documents of {_warmup.Corpus.Tokens:N0} tokens");
            var anneal = _anneal is null ? "" : FormattableString.Invariant($"; from step {_anneal.Start + 1} on {_anneal.Corpus.Documents:N0} documents of {_anneal.Corpus.Tokens:N0} tokens");
            return FormattableString.Invariant($"{corpus.Documents:N0} documents, {corpus.Tokens:N0} tokens in {order.Pieces:N0} pieces, {(double)corpus.Bytes / corpus.Tokens:0.00} bytes a token{warmup}{anneal}");
        }
    }

    public override IReadOnlyList<TokenizedExample> Step(int step)
    {
        var phase = step < _main.Start ? _warmup! : step < _main.End ? _main : _anneal!;
        return phase.Order.Step(step - phase.Start);
    }

    public override double EpochsAfter(int steps) =>
        (double)(Math.Clamp(steps, _main.Start, _main.End) - _main.Start) * _main.Order.StepTokens / _main.Order.PassTokens;

    /// <summary>The documents of steps [Start, End).</summary>
    private sealed record Phase(TokenCorpus Corpus, CorpusOrder Order, int Start, int End);
}
