using Apprentice.Data.Batching;

namespace Apprentice.Training;

/// <summary>
/// What a run learns from, as tokens: the examples of each step, and those that are held out. A pure function of recipe and
/// step, so that a resumed run needs to know nothing but its step.
/// </summary>
public abstract class TrainingSet
{
    /// <summary>Optimizer steps of the whole run.</summary>
    public abstract int TotalSteps { get; }

    /// <summary>Steps at the end over which the run's loss is averaged.</summary>
    public abstract int ClosingSteps { get; }

    /// <summary>Tokens of the longest example.</summary>
    public abstract int Longest { get; }

    /// <summary>Most tokens of a step.</summary>
    public abstract long LargestStep { get; }

    /// <summary>Held-out examples; may be none.</summary>
    public abstract IReadOnlyList<TokenizedExample> Validation { get; }

    /// <summary>UTF-8 bytes of the held-out text where all of it is learned, else null.</summary>
    public virtual long? ValidationBytes => null;

    /// <summary>What is trained on, for the user.</summary>
    public abstract string Description { get; }

    /// <summary>The examples of step <paramref name="step"/> (from 0).</summary>
    public abstract IReadOnlyList<TokenizedExample> Step(int step);

    /// <summary>Passes over the data after so many steps, with a fraction.</summary>
    public abstract double EpochsAfter(int steps);
}
