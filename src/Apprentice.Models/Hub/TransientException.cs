namespace Apprentice.Models.Hub;

/// <summary>A server's answer that may be another one soon.</summary>
internal sealed class TransientException(string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>As the server wishes, or null.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
