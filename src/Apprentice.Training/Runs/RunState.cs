namespace Apprentice.Training.Runs;

public enum RunStatus
{
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Paused,
}

/// <summary>Where a run stands: its <c>state.json</c>.</summary>
/// <param name="Status">Running means that it was begun; a killed run still says so (see <see cref="RunFolder.IsHeld"/>).</param>
/// <param name="Step">Optimizer steps done when this was written.</param>
/// <param name="Reason">Why it failed, was cancelled or paused, or stopped early.</param>
public sealed record RunState(RunStatus Status, int Step = 0, string? Reason = null);
