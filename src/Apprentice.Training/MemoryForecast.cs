using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Tensors;
using Apprentice.Training.Recipes;

namespace Apprentice.Training;

/// <summary>Resident bytes of answering in so many conversations at once, each of which fills the context.</summary>
public sealed record ServingForecast(int Conversations, long Bytes);

/// <summary>
/// Peak resident bytes of what can be done with a model, at the recipe's defaults: LoRA of the default rank on every linear layer, and
/// the default number of tokens at once. Pages of the mapped weights count, although the system can drop them.
/// </summary>
/// <param name="Tokens">Computed at once in training.</param>
/// <param name="Rank">Of LoRA.</param>
/// <param name="Lora">LoRA, with activations kept.</param>
/// <param name="LoraRecompute">LoRA, with activations computed again.</param>
/// <param name="Full">Every weight, with activations kept; null where the weights are quantised.</param>
/// <param name="FullRecompute">Every weight, with activations computed again; null where the weights are quantised.</param>
/// <param name="Serving">Answering in one conversation that fills the context.</param>
/// <param name="ServingParallel">The same in several at once, as a server does.</param>
/// <param name="CacheBytesPerToken">Keys and values of each token of a conversation.</param>
public sealed record MemoryForecast(
    int Tokens, int Rank, long Lora, long LoraRecompute, long? Full, long? FullRecompute, long Serving, IReadOnlyList<ServingForecast> ServingParallel, long CacheBytesPerToken)
{
    /// <summary>A few, and as many as are served at once where nothing else is said.</summary>
    private static readonly int[] Conversations = [8, new BatchOptions().Parallel];

    public static MemoryForecast Of(LanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        const int Tokens = TrainingSession.DefaultMicroBatchTokens, Rank = RecipeDefaults.Rank;
        var lora = model.LinearLayers.Sum(l => (long)Rank * (l.Weight.Rows + l.Weight.Columns));
        var quantised = model.Weights.Values.Any(w => w.Type > StorageType.BF16);
        return new MemoryForecast(
            Tokens, Rank, Peak(lora, false), Peak(lora, true), quantised ? null : Peak(model.ParameterCount, false), quantised ? null : Peak(model.ParameterCount, true),
            Forecast.ServingBytes(model, model.ContextLength),
            [.. Conversations.Select(n => new ServingForecast(n, Forecast.ServingBytes(model, (long)n * model.ContextLength)))],
            Forecast.CacheBytesPerToken(model));

        long Peak(long trained, bool recompute) => new Forecast(model, trained, recompute).PeakBytes(Tokens);
    }
}
