namespace Apprentice.Data;

/// <summary>
/// A run that had to stop for a reason that is worth telling but is no mistake in the input: a full disk, a loss that
/// is not a number. The command line prints it without a stack trace and exits with 1.
/// </summary>
/// <param name="code">Short machine-readable name in snake_case, such as <c>disk_full</c>.</param>
/// <param name="message">What happened, where, and what is safe.</param>
/// <param name="hint">What to do about it.</param>
/// <param name="inner">What was caught, if anything.</param>
public sealed class RunFailedException(string code, string message, string? hint = null, Exception? inner = null)
    : Exception(message, inner)
{
    public string Code { get; } = code;
    public string? Hint { get; } = hint;
}
