using System.Text.Json.Serialization;

namespace Apprentice.Training.Runs;

/// <summary>How a run ended. These names in snake_case are what <c>train --json</c> promises.</summary>
/// <param name="Run">The run's folder.</param>
/// <param name="Status">As in the run's state.json.</param>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="Epochs">Passes over the training data, with a fraction.</param>
/// <param name="TrainLoss">Mean loss per supervised token at the end, in nats.</param>
/// <param name="ValidLoss">Validation loss of the checkpoint that was kept, or null without a validation split.</param>
/// <param name="ValidLossPerByte">The same for each byte of the text, in pretraining; else null.</param>
/// <param name="ExamplesPerSecond">Over the training steps alone.</param>
/// <param name="TokensPerSecond">Over the training steps alone.</param>
/// <param name="PeakMemoryBytes">Largest resident memory of the process.</param>
/// <param name="DurationSeconds">From start to end, loading and evaluations included.</param>
/// <param name="TrainableParameters">How many numbers were trained.</param>
public sealed record TrainingSummary(
    string Run,
    RunStatus Status,
    int Steps,
    double Epochs,
    double TrainLoss,
    double? ValidLoss,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? ValidLossPerByte,
    double ExamplesPerSecond,
    double TokensPerSecond,
    long PeakMemoryBytes,
    double DurationSeconds,
    long TrainableParameters)
{
    /// <summary>The id of a finished run's model, by which <see cref="RunRegistration"/> makes it known; else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }
}
