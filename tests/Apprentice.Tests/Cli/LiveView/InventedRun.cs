using Apprentice.Training.Runs;

namespace Apprentice.Tests.Cli.LiveView;

/// <summary>A run that never was, to look at views with.</summary>
internal static class InventedRun
{
    public static IEnumerable<TrainingProgress> Steps(int total)
    {
        for (var step = 1; step <= total; step++)
        {
            var trend = 0.8 + 3 * Math.Exp(-4.0 * step / total);
            var loss = trend + 0.15 * Math.Sin(step * 12.9898);
            yield return new TrainingProgress
            {
                Step = step,
                TotalSteps = total,
                Epoch = 4.0 * step / total,
                TrainLoss = loss,
                ValidLoss = step % 40 == 0 ? trend + 0.2 : null,
                LearningRate = 1e-3 * Math.Min(1, step / 20.0),
                GradientNorm = 0.5 + loss / 4,
                TokensPerSecond = 812.4,
                ExamplesPerSecond = 3.21,
                ResidentBytes = 912_345_678,
                PrivateBytes = 401_000_000,
                Elapsed = TimeSpan.FromSeconds(step * 0.7),
                Remaining = TimeSpan.FromSeconds((total - step) * 0.7),
                Message = step % 100 == 0 ? $"checkpoint saved: step-{step:000000} [best]" : null,
            };
        }
    }
}
