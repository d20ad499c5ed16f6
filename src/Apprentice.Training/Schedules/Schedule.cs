namespace Apprentice.Training.Schedules;

/// <summary>
/// The learning rate over a run, as a factor of the recipe's rate. A pure function of the step, computed in double, so
/// that a resumed run needs nothing but its step. The formulas, and what happens past the end, are those of the
/// transformers library's <c>get_scheduler</c>, so curves can be compared.
/// </summary>
/// <param name="WarmupSteps">Steps over which the factor rises from 0; step 0 itself then learns nothing, though the
/// optimizer's moments already fill. 0: no warm-up.</param>
public abstract record Schedule(int WarmupSteps)
{
    /// <summary>The factor that optimizer step <paramref name="step"/> (counted from 0) uses.</summary>
    public double Multiplier(int step) => step < WarmupSteps ? WarmUp((double)step / WarmupSteps) : AfterWarmup(step - WarmupSteps);

    /// <summary>The factor during warm-up; <paramref name="progress"/> runs from 0 to below 1.</summary>
    protected virtual double WarmUp(double progress) => progress;

    /// <summary>The factor once warm-up is over; <paramref name="step"/> counts from its end.</summary>
    protected abstract double AfterWarmup(int step);

    /// <summary>How much of a decay over <paramref name="length"/> steps is done; a decay of no length counts as one step.</summary>
    protected static double Progress(int step, int length) => (double)step / Math.Max(1, length);

    /// <summary>A factor in [0, 1] moved into [minimum, 1].</summary>
    protected static double AboveMinimum(double factor, double minimum) => Math.Max(0, factor * (1 - minimum) + minimum);
}

/// <summary>1 after warm-up, for ever.</summary>
public sealed record ConstantSchedule(int WarmupSteps) : Schedule(WarmupSteps)
{
    protected override double AfterWarmup(int step) => 1;
}

/// <summary>Falls in a straight line from 1 to the minimum ratio at <c>TotalSteps</c>, and stays there.</summary>
public sealed record LinearSchedule(int WarmupSteps, int TotalSteps, double MinimumRatio = 0) : Schedule(WarmupSteps)
{
    protected override double AfterWarmup(int step) =>
        AboveMinimum(Math.Max(0, 1 - Progress(step, TotalSteps - WarmupSteps)), MinimumRatio);
}

/// <summary>
/// Falls along half a cosine from 1 to the minimum ratio at <c>TotalSteps</c> (Loshchilov and Hutter 2017). Past the
/// end the cosine goes on and rises again; training never asks for that.
/// </summary>
public sealed record CosineSchedule(int WarmupSteps, int TotalSteps, double MinimumRatio = 0) : Schedule(WarmupSteps)
{
    protected override double AfterWarmup(int step) =>
        AboveMinimum(0.5 * (1 + Math.Cos(Math.PI * Progress(step, TotalSteps - WarmupSteps))), MinimumRatio);
}
