namespace Apprentice.Training.Schedules;

/// <summary>The form of a rise or fall between the minimum ratio and 1.</summary>
public enum ScheduleShape
{
    Linear,
    Cosine,

    /// <summary>Fast at first, then slow: 1 - sqrt(progress) when falling (Hägele et al. 2024).</summary>
    OneMinusSquareRoot,
}

/// <summary>
/// Warm-up, a long stretch at the full rate, then a short decay to the minimum ratio, where it stays (WSD, Hu et al.
/// 2024). Unlike the other schedules warm-up begins at the minimum ratio, not at 0.
/// </summary>
public sealed record WarmupStableDecaySchedule(
    int WarmupSteps,
    int StableSteps,
    int DecaySteps,
    double MinimumRatio = 0,
    ScheduleShape WarmupShape = ScheduleShape.Linear,
    ScheduleShape DecayShape = ScheduleShape.Cosine) : Schedule(WarmupSteps)
{
    protected override double WarmUp(double progress) => AboveMinimum(Fall(WarmupShape, 1 - progress), MinimumRatio);

    protected override double AfterWarmup(int step)
    {
        var decayed = step - StableSteps;
        return decayed < 0 ? 1
            : decayed < DecaySteps ? AboveMinimum(Fall(DecayShape, Progress(decayed, DecaySteps)), MinimumRatio)
            : MinimumRatio;
    }

    /// <summary>From 1 at progress 0 to 0 at progress 1. A rise is a fall run backwards.</summary>
    private static double Fall(ScheduleShape shape, double progress) => shape switch
    {
        ScheduleShape.Linear => 1 - progress,
        ScheduleShape.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
        ScheduleShape.OneMinusSquareRoot => 1 - Math.Sqrt(progress),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "unknown shape"),
    };
}
