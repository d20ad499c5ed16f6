using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Apprentice.Models.Generation;
using Apprentice.Server.Contracts;

namespace Apprentice.Server;

/// <summary>A piece of one of the answers to a request.</summary>
/// <param name="Choice">Which answer: all of the first prompt, then those of the next.</param>
internal readonly record struct AnswerPiece(int Choice, GeneratedPiece Piece);

/// <summary>The answers to one request as they come, all generated together, and their tokens counted.</summary>
internal sealed class Answering(ServedModel model, SamplingRequest request, IReadOnlyList<int[]> prompts)
{
    private readonly GenerationEnd?[] _ends = new GenerationEnd?[prompts.Count * request.Choices];
    private readonly long _asked = Stopwatch.GetTimestamp();

    public ServedModel Model => model;

    public int Choices => _ends.Length;

    /// <summary>Until the first token; null until then.</summary>
    public TimeSpan? ToFirst { get; private set; }

    /// <summary>As far as answers have ended; a prompt counts once, whatever the number of its answers.</summary>
    public Usage Usage => Usage.Of(
        prompts.Sum(p => p.Length),
        _ends.Where((_, i) => i % request.Choices == 0).Sum(e => e?.CachedTokens ?? 0),
        _ends.Sum(e => e?.CompletionTokens ?? 0));

    /// <summary>The answers' pieces as they come. Whoever stops listening ends them all.</summary>
    public async IAsyncEnumerable<AnswerPiece> Pieces([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var piece in Choices == 1 ? Answer(0, cancellation) : Merged(cancellation))
        {
            ToFirst ??= Stopwatch.GetElapsedTime(_asked);
            _ends[piece.Choice] = piece.Piece.End ?? _ends[piece.Choice];
            yield return piece;
        }
    }

    private async IAsyncEnumerable<AnswerPiece> Answer(int choice, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var piece in model.Generator.Generate(prompts[choice / request.Choices], request.Of(choice % request.Choices), cancellation))
        {
            yield return new AnswerPiece(choice, piece);
        }
    }

    private async IAsyncEnumerable<AnswerPiece> Merged([EnumeratorCancellation] CancellationToken cancellation)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pieces = Channel.CreateUnbounded<AnswerPiece>();
        var work = Task.WhenAll(Enumerable.Range(0, Choices).Select(Forward));
        _ = work.ContinueWith(all => pieces.Writer.TryComplete(all.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(left.Token))
            {
                yield return piece;
            }
        }
        finally
        {
            await left.CancelAsync();
        }

        async Task Forward(int choice)
        {
            await foreach (var piece in Answer(choice, left.Token))
            {
                pieces.Writer.TryWrite(piece);
            }
        }
    }
}
