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
    private readonly TokenCorpus _train;
    private readonly TokenCorpus? _warmup;
    private readonly TokenCorpus? _anneal;
    private readonly CorpusOrder _order;
    private readonly CorpusOrder? _warmupOrder;
    private readonly CorpusOrder? _annealOrder;
    private readonly int _start;
    private readonly int _annealStart;

    public CorpusSet(ResolvedRecipe recipe, TokenCorpus train, TokenCorpus? warmup, TokenCorpus? anneal, TokenCorpus? validation)
    {
        (_train, _warmup, _anneal, Longest) = (train, warmup, anneal, recipe.MaxLength);
        _order = Order(train, RandomStream.EpochOrder);
        _warmupOrder = warmup is null ? null : Order(warmup, RandomStream.WarmupOrder);
        _annealOrder = anneal is null ? null : Order(anneal, RandomStream.AnnealOrder);
        TotalSteps = recipe.TotalSteps(train.Tokens);
        _annealStart = anneal is null ? TotalSteps : recipe.DecayStart(TotalSteps);
        _start = warmup is null ? 0 : Math.Min(recipe.Warmup.Of(TotalSteps), _annealStart);
        Validation = validation is null ? [] : new CorpusOrder(validation, recipe.MaxLength, recipe.MaxLength, 0, RandomStream.EpochOrder).InOrder();
        ValidationBytes = validation?.Bytes;

        CorpusOrder Order(TokenCorpus corpus, RandomStream stream) => new(corpus, recipe.MaxLength, recipe.BatchTokens, (ulong)recipe.Seed, stream);
    }

    public override int TotalSteps { get; }

    public override int ClosingSteps => Math.Max(1, TotalSteps / 20);

    public override int Longest { get; }

    public override long LargestStep => _order.StepTokens + (long)Longest;

    public override IReadOnlyList<TokenizedExample> Validation { get; }

    public override long? ValidationBytes { get; }

    public override string Description
    {
        get
        {
            var warmup = _warmup is null ? "" : FormattableString.Invariant($"; before, to step {_start}, {_warmup.Documents:N0} documents of {_warmup.Tokens:N0} tokens");
            var anneal = _anneal is null ? "" : FormattableString.Invariant($"; from step {_annealStart + 1} on {_anneal.Documents:N0} documents of {_anneal.Tokens:N0} tokens");
            return FormattableString.Invariant($"{_train.Documents:N0} documents, {_train.Tokens:N0} tokens in {_order.Pieces:N0} pieces, {(double)_train.Bytes / _train.Tokens:0.00} bytes a token{warmup}{anneal}");
        }
    }

    public override IReadOnlyList<TokenizedExample> Step(int step) =>
        step < _start ? _warmupOrder!.Step(step)
        : step < _annealStart ? _order.Step(step - _start)
        : _annealOrder!.Step(step - _annealStart);

    public override double EpochsAfter(int steps) => (double)(Math.Clamp(steps, _start, _annealStart) - _start) * _order.StepTokens / _order.PassTokens;
}
