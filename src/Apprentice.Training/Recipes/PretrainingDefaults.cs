using Apprentice.Data;

namespace Apprentice.Training.Recipes;

/// <summary>What is usual for pretraining where a recipe does not say: the rest is as for every method.</summary>
internal static class PretrainingDefaults
{
    /// <exception cref="InputException">A field does not fit pretraining.</exception>
    public static Recipe Fill(Recipe recipe, ModelFacts model, DataFacts data)
    {
        foreach (var (field, held) in new[] { ("validation", recipe.Validation), ("test", recipe.Test) })
        {
            if (held is { File: null } && held != HeldOut.None)
            {
                throw recipe.Error("bad_value", field, $"{field} is '{held}'; under pretrain it must be none or a file of its own", "put the documents to be held out into a file");
            }
        }

        var maxLength = recipe.MaxLength ?? Math.Min(512, model.ContextLength);
        var tokens = recipe.BatchTokens ?? Math.Max(16_384, maxLength);
        if (tokens < maxLength)
        {
            throw recipe.Error("bad_value", "batch_tokens", $"batch_tokens is {tokens}; a step must hold a whole piece of max_length, {maxLength} tokens");
        }

        if (recipe.Anneal is not null && (recipe.Schedule ?? ScheduleKind.Wsd) != ScheduleKind.Wsd)
        {
            throw recipe.Error("bad_value", "anneal", "anneal names the data of the steps over which the learning rate falls under wsd: this schedule has none", "give --schedule wsd, or leave anneal out");
        }

        var maxSteps = recipe.MaxSteps ?? 0;
        var epochs = recipe.Epochs ?? (maxSteps > 0 ? Math.Clamp(Math.Ceiling((double)maxSteps * tokens / Math.Max(1, data.Tokens)), 1, 10_000) : 1);
        var steps = ResolvedRecipe.TotalSteps(data.Tokens, tokens, epochs, maxSteps);
        var warmup = recipe.Warmup ?? Amount.Share(0.05);
        if (recipe.WarmupData is not null && warmup.Of(steps) == 0)
        {
            throw recipe.Error("bad_value", "warmup_data", "warmup_data names the documents of the steps over which the learning rate rises: there are none", "give warmup some steps, or leave warmup_data out");
        }

        if (recipe.WarmupData is not null && warmup.Of(steps) >= steps)
        {
            throw recipe.Error("bad_value", "warmup_data", $"the learning rate rises over all {steps} steps, so nothing but warmup_data would be trained on", "give warmup fewer steps");
        }

        if (recipe.Anneal is not null && (recipe.Decay ?? RecipeDefaults.Decay).Of(steps) == 0)
        {
            throw recipe.Error("bad_value", "anneal", "anneal names the documents of the steps over which the learning rate falls: there are none", "give decay some steps, or leave anneal out");
        }

        if (recipe.EarlyStopping > 0)
        {
            throw recipe.Error("bad_value", "early_stopping", "a pretraining ends on other text than it began with, and is not stopped by its validation loss", "leave early_stopping out, and say max_steps");
        }

        return recipe with
        {
            Validation = recipe.Validation ?? HeldOut.None,
            MaxLength = maxLength,
            // Small steps for large models: their gradients are the same size but there are more of them in each sum.
            LearningRate = recipe.LearningRate ?? Math.Min(3e-3, 3e-3 * Math.Sqrt(1e7 / model.Parameters)),
            Schedule = recipe.Schedule ?? ScheduleKind.Wsd,
            Warmup = warmup,
            Epochs = epochs,
            MaxSteps = maxSteps,
            BatchTokens = tokens,
            // Thousands of steps on different text: the mean of the squares must forget the first ones.
            Beta2 = recipe.Beta2 ?? 0.95,
            WeightDecay = recipe.WeightDecay ?? 0.1,
            EvaluateEvery = recipe.EvaluateEvery ?? ((recipe.Validation ?? HeldOut.None) == HeldOut.None ? 0 : (steps + 9) / 10),
            EarlyStopping = recipe.EarlyStopping ?? 0,
            CheckpointEvery = recipe.CheckpointEvery ?? (steps + 9) / 10,
        };
    }
}
