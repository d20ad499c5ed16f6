using System.Text;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.LiveView;

/// <summary>
/// A run as plain lines, for logs: the first and the last step, about fifty between them, every evaluation and every
/// message.
/// </summary>
internal sealed class PlainTrainingView(TextWriter output) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        var every = Math.Max(1, value.TotalSteps / 50);
        if (value.HasFigures && (value.Step <= 1 || value.Step % every == 0 || value.Step == value.TotalSteps || value.ValidLoss is not null))
        {
            output.WriteLine(Line(value));
        }

        if (value.Message is not null)
        {
            output.WriteLine(value.TotalSteps == 0 ? value.Message : Format.Text($"step {value.Step}/{value.TotalSteps}  {value.Message}"));
        }

        output.Flush();
    }

    private static string Line(TrainingProgress p)
    {
        var line = new StringBuilder();
        line.Append(Format.Text($"step {p.Step}/{p.TotalSteps}  epoch {p.Epoch:0.00}  loss {Format.Loss(p.TrainLoss)}"));
        if (p.ValidLoss is { } loss)
        {
            line.Append(Format.Text($"  valid {Format.Loss(loss)}"));
        }

        line.Append(Format.Text($"  lr {Format.Rate(p.LearningRate)}  grad {p.GradientNorm:0.00}"));
        line.Append(Format.Text($"  {Format.Speed(p.TokensPerSecond)} tok/s  {Format.Speed(p.ExamplesPerSecond)} ex/s"));
        line.Append(Format.Text($"  memory {Format.Bytes(p.ResidentBytes)} ({Format.Bytes(p.PrivateBytes)} private)"));
        return (p.Remaining is { } left ? line.Append(Format.Text($"  {Format.Duration(left)} left")) : line).ToString();
    }
}
