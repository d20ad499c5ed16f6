namespace Apprentice.Training.Runs;

/// <summary>How far a run is: reported after each optimizer step, and once more after each evaluation.</summary>
public sealed record TrainingProgress
{
    /// <summary>Optimizer steps done.</summary>
    public required int Step { get; init; }

    public required int TotalSteps { get; init; }

    /// <summary>Passes over the training data done, with a fraction.</summary>
    public double Epoch { get; init; }

    /// <summary>Mean loss per supervised token of this step's batch, in nats.</summary>
    public double TrainLoss { get; init; }

    /// <summary>Mean loss per supervised token of the validation split, where it was evaluated after this step.</summary>
    public double? ValidLoss { get; init; }

    public double LearningRate { get; init; }

    /// <summary>Before clipping.</summary>
    public double GradientNorm { get; init; }

    public double TokensPerSecond { get; init; }

    public double ExamplesPerSecond { get; init; }

    /// <summary>Memory of the process, the mapped pages of the weights included.</summary>
    public long ResidentBytes { get; init; }

    /// <summary>Memory that only this process has: without the mapped weights.</summary>
    public long PrivateBytes { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>Estimated; null until there is something to estimate from.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Whether a step has been measured; what is said before the first is a message only.</summary>
    public bool HasFigures => TokensPerSecond > 0;

    /// <summary>Something to tell besides the numbers, such as "checkpoint saved" or "stopped early: …".</summary>
    public string? Message { get; init; }
}
