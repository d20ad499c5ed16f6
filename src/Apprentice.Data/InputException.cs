namespace Apprentice.Data;

/// <summary>
/// A mistake in what the user gave (a file, a field, an option) that the user can mend. The command line prints it
/// without a stack trace and exits with 2. The message says what is wrong and what would be right.
/// </summary>
/// <param name="code">Short machine-readable name in snake_case, such as <c>bad_gguf</c> or <c>missing_field</c>.</param>
/// <param name="message">What is wrong and what would be right, in one or two sentences.</param>
/// <param name="file">The file it is about, as the user named it, if any.</param>
/// <param name="line">One-based line within the file, if any.</param>
/// <param name="hint">What to do about it, if the message does not say.</param>
public sealed class InputException(string code, string message, string? file = null, long? line = null, string? hint = null)
    : Exception(message)
{
    public string Code { get; } = code;
    public string? File { get; } = file;
    public long? Line { get; } = line;
    public string? Hint { get; } = hint;
}
