using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tensors;

namespace Apprentice.Models.Generation;

/// <summary>
/// Continues prompts that come at any time, from any thread: all that are under way share each step (continuous batching).
/// What a prompt has in common with earlier ones is not computed again. A greedy answer is the same, whoever else is served.
/// </summary>
public sealed class BatchedGenerator : IDisposable
{
    private readonly Engine _engine;
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="model">The model; stays the caller's to dispose, after this.</param>
    public BatchedGenerator(LoadedModel model, BatchOptions options)
    {
        Model = model;
        _engine = new Engine(options.Threads);
    }

    public LoadedModel Model { get; }

    public BatchStatistics Statistics => new(0, 0, 0, 0, 0, 0, 0);

    /// <summary>Answers a prompt, piece by piece; the last piece has an end. To leave early, cancel or stop enumerating.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="options">How to choose tokens; the longest answer is cut to the room that the context leaves.</param>
    /// <exception cref="InputException">
    /// Code <c>empty_prompt</c>, <c>prompt_too_long</c> (it leaves no room in the context) or <c>bad_option</c>.
    /// </exception>
    public async IAsyncEnumerable<GeneratedPiece> Generate(
        int[] prompt, SamplingOptions options, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var pieces = Channel.CreateUnbounded<GeneratedPiece>();
            var work = Task.Run(
                () =>
                {
                    var result = new TextGenerator(Model, _engine).Run([prompt], options, (_, text) => pieces.Writer.TryWrite(new GeneratedPiece(text, [])), cancellation: cancellation)[0];
                    pieces.Writer.TryWrite(new GeneratedPiece("", [], new GenerationEnd(result.FinishReason == "stop" ? FinishReason.Stop : FinishReason.Length, prompt.Length, 0, result.CompletionTokens)));
                    pieces.Writer.Complete();
                },
                cancellation);
            _ = work.ContinueWith(t => pieces.Writer.TryComplete(t.Exception?.InnerException), TaskScheduler.Default);
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                yield return piece;
            }

            await work.ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _engine.Dispose();
        _turn.Dispose();
    }
}
