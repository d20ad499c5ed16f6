using System.Diagnostics;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>How fast a run goes: over the last steps for the eye, over all of them for the summary.</summary>
public sealed class StepClock(int totalSteps, int firstStep)
{
    private const int Recent = 20;
    private readonly Queue<(int Tokens, int Examples, double Seconds)> _recent = new();
    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private long _tokens;
    private long _examples;
    private double _seconds;

    public double TokensPerSecond => Rate(_recent.Sum(r => (double)r.Tokens), _recent.Sum(r => r.Seconds));

    public double MeanTokensPerSecond => Rate(_tokens, _seconds);

    public double MeanExamplesPerSecond => Rate(_examples, _seconds);

    /// <summary>Counts one optimizer step.</summary>
    public void Add(int tokens, int examples, double seconds)
    {
        _recent.Enqueue((tokens, examples, seconds));
        if (_recent.Count > Recent)
        {
            _recent.Dequeue();
        }

        _tokens += tokens;
        _examples += examples;
        _seconds += seconds;
    }

    /// <summary>What to show after a step.</summary>
    public TrainingProgress Progress(RunEvent metrics, int examples, string? message)
    {
        var memory = ProcessMemory.Now();

        // Evaluations and checkpoints take their share of the time, so the estimate goes by the wall clock.
        var done = metrics.Step - firstStep;
        return new TrainingProgress
        {
            Step = metrics.Step,
            TotalSteps = totalSteps,
            Epoch = metrics.Epoch ?? 0,
            TrainLoss = metrics.TrainLoss ?? 0,
            ValidLoss = metrics.ValidLoss,
            LearningRate = metrics.Lr ?? 0,
            GradientNorm = metrics.GradNorm ?? 0,
            TokensPerSecond = TokensPerSecond,
            ExamplesPerSecond = Rate(_recent.Sum(r => (double)r.Examples), _recent.Sum(r => r.Seconds)),
            ResidentBytes = memory.Resident,
            PrivateBytes = memory.Private,
            Elapsed = _elapsed.Elapsed,
            Remaining = done > 0 ? _elapsed.Elapsed / done * (totalSteps - metrics.Step) : null,
            Message = message,
        };
    }

    private static double Rate(double amount, double seconds) => seconds > 0 ? amount / seconds : 0;
}
