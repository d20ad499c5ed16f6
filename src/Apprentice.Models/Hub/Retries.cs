using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>
/// Tries again after failures of the network, with pauses that grow. Whoever gets on is tried without end; failures that bring
/// nothing, one after the other, end it.
/// </summary>
/// <param name="options">How often, how long.</param>
/// <param name="what">What is being fetched, for the error.</param>
/// <param name="note">Is told of each failure that is not the last.</param>
internal sealed class Retries(DownloadOptions options, string what, Action<string> note)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <param name="attempt">Is called until it does not fail.</param>
    /// <param name="hasGotOn">Whether the attempt that failed brought anything that is kept.</param>
    /// <param name="cancel">Ends it at once.</param>
    /// <exception cref="RunFailedException">Code <c>download_failed</c>.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> attempt, Func<bool> hasGotOn, CancellationToken cancel)
    {
        for (var failures = 1; ; failures++)
        {
            Exception failure;
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TransientException)
            {
                cancel.ThrowIfCancellationRequested();
                failure = e;
            }

            failures = hasGotOn() ? 1 : failures;
            var reason = Reason(failure);
            if (failures >= options.Attempts || !MayPass(failure))
            {
                throw new RunFailedException("download_failed", $"{what} could not be fetched: {reason}", "run the command again when the network is back: what has come is kept, and it goes on there", failure);
            }

            var pause = Pause(failures, failure);
            note($"{reason}; again in {pause.TotalSeconds:0.#} s");
            await Task.Delay(pause, cancel).ConfigureAwait(false);
        }
    }

    private TimeSpan Pause(int failures, Exception failure)
    {
        var own = options.FirstPause * Math.Pow(2, failures - 1);
        var asked = (failure as TransientException)?.RetryAfter ?? TimeSpan.Zero;
        return TimeSpan.FromTicks(Math.Min(Math.Max(own.Ticks, asked.Ticks), LongestPause.Ticks));
    }

    /// <summary>A name that nobody knows and a certificate that is not trusted are the same in a second.</summary>
    private static bool MayPass(Exception failure) =>
        failure is not HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };

    /// <summary>The innermost exception says it: those around it say "see inner exception".</summary>
    private static string Reason(Exception failure)
    {
        while (failure.InnerException is { } inner)
        {
            failure = inner;
        }

        return failure is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } ? "the connection was cut" : failure.Message.ReplaceLineEndings(" ").TrimEnd('.');
    }
}
