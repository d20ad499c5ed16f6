using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Generation;

/// <summary>
/// Continues prompts that come at any time, from any thread: all that are under way share each step (continuous batching, Yu et
/// al. 2022). What a prompt has in common with earlier ones is not computed again. A greedy answer is the same, whoever else is
/// served, for the engine works out each row alike in any company (<see cref="Engine.BatchInvariant"/>) and prompts are cut at
/// fixed places (<see cref="BatchStep"/>).
/// </summary>
public sealed class BatchedGenerator : IDisposable
{
    /// <summary>Prompt tokens in a step beside answers, which wait for it, and in a step without any.</summary>
    private const int PromptTokensBesideAnswers = 256, PromptTokensAlone = 1024;

    private readonly BlockingCollection<BatchedSequence> _arriving = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Engine _engine;
    private readonly KeyValueBlocks _blocks;
    private readonly KeyValueCache _cache;
    private readonly BatchStep _step;
    private readonly int _parallel;
    private readonly Thread _thread;
    private readonly Queue<BatchedSequence> _waiting = new();
    private readonly List<BatchedSequence> _active = [];
    private BatchStatistics _statistics;
    private long _promptTokens, _reusedTokens, _completionTokens;

    /// <param name="model">The model; stays the caller's to dispose, after this.</param>
    /// <param name="options">Limits.</param>
    public BatchedGenerator(LoadedModel model, BatchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new BatchOptions();
        Model = model;
        _parallel = options.Parallel;
        _engine = new Engine(options.Threads) { BatchInvariant = true };
        _blocks = new KeyValueBlocks(KeyValueBlocks.For(options.CacheTokensOf(model.Model)));
        _cache = model.Model.NewCache(_blocks.Count * KeyValueBlocks.Tokens);
        _step = new BatchStep(model.Model, model.Adapter, _blocks);
        _statistics = new BatchStatistics(0, 0, 0, _cache.Rows, 0, 0, 0);
        _thread = new Thread(Work) { IsBackground = true, Name = "generate" };
        _thread.Start();
    }

    public LoadedModel Model { get; }

    /// <summary>As of the last step.</summary>
    public BatchStatistics Statistics => Volatile.Read(ref _statistics);

    /// <summary>Answers a prompt, piece by piece; the last piece has an end. To leave early, cancel or stop enumerating.</summary>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="options">How to choose tokens; the longest answer is cut to the room that the context leaves.</param>
    /// <exception cref="InputException">
    /// Code <c>empty_prompt</c>, <c>prompt_too_long</c> (it leaves no room in the context, or in the cache) or <c>bad_option</c>.
    /// </exception>
    public async IAsyncEnumerable<GeneratedPiece> Generate(
        int[] prompt, SamplingOptions options, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stop.Token);
        var sequence = Sequence(prompt, options, left.Token);
        _arriving.Add(sequence, cancellation);
        try
        {
            await foreach (var piece in sequence.Pieces.ReadAllAsync(left.Token).ConfigureAwait(false))
            {
                yield return piece;
            }
        }
        finally
        {
            await left.CancelAsync().ConfigureAwait(false); // whoever stops listening leaves
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _engine.Dispose();
        _arriving.Dispose();
        _stop.Dispose();
    }

    private BatchedSequence Sequence(int[] prompt, SamplingOptions options, CancellationToken left)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var room = PromptRoom.Of(prompt, Math.Min(Model.Model.ContextLength, _cache.Rows));
        return new BatchedSequence(Model, prompt, options with { MaxTokens = Math.Min(options.MaxTokens, room) }, left);
    }

    private void Work()
    {
        using var tape = new Tape(_engine, recording: false);
        try
        {
            while (true)
            {
                Admit();
                try
                {
                    Step(tape);
                }
                catch (Exception e)
                {
                    _active.ForEach(s => s.Fail(e));
                }

                foreach (var done in _active.Where(s => s.Finished || s.Left))
                {
                    _reusedTokens += done.Reused;
                    done.Release(_blocks);
                }

                _active.RemoveAll(s => s.Finished || s.Left);
                Publish();
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more: each Generate ends with the same token.
        }
    }

    /// <summary>Takes in who has come, in this order, as far as there is room; waits for someone where there is nothing to do.</summary>
    private void Admit()
    {
        _stop.Token.ThrowIfCancellationRequested();
        while (_arriving.TryTake(out var sequence) || (_active.Count + _waiting.Count == 0 && Wait(out sequence)))
        {
            _waiting.Enqueue(sequence);
        }

        while (_waiting.TryPeek(out var next) && _active.Count < _parallel)
        {
            var blocks = KeyValueBlocks.For(next.LongestLength);
            if (next.Left)
            {
                _waiting.Dequeue();
                continue;
            }

            if (blocks > _blocks.Free)
            {
                break; // who asks for much is not overtaken for ever by those who ask for little
            }

            for (var i = 0; i < blocks; i++)
            {
                next.Blocks.Add(_blocks.Take());
            }

            next.Shares = next.LongestLength <= Model.Model.ShortContext || next.Given > Model.Model.ShortContext;
            _promptTokens += next.Given;
            _active.Add(_waiting.Dequeue());
        }

        Publish();
    }

    private bool Wait(out BatchedSequence sequence)
    {
        sequence = _arriving.Take(_stop.Token);
        return true;
    }

    private void Step(Tape tape)
    {
        foreach (var sequence in _active.Where(s => s.Tokens.Count > Model.Model.ShortContext && s.Computed > 0 && s.Computed == Model.Model.ShortContext))
        {
            (sequence.Computed, sequence.Given) = (0, sequence.Tokens.Count); // it has outgrown the rotation of its keys
        }

        foreach (var alike in _active.GroupBy(s => s.Tokens.Count > Model.Model.ShortContext).ToArray())
        {
            Step(tape, [.. alike]);
        }
    }

    private void Step(Tape tape, List<BatchedSequence> sequences)
    {
        foreach (var sequence in sequences.Where(s => s.Computed >= s.Given))
        {
            _step.Add(sequence);
        }

        // Prompts take turns, block by block, so that a long one does not hold up those behind it.
        var room = _step.Tokens > 0 ? _step.Tokens + PromptTokensBesideAnswers : PromptTokensAlone;
        var reading = sequences.Where(s => s.Computed < s.Given && !s.Left).ToList();
        while (reading.Count > 0 && _step.Tokens < room)
        {
            reading.RemoveAll(sequence => _step.Tokens >= room || !_step.AddPrompt(sequence) || sequence.Computed >= sequence.Given);
        }

        var answers = _step.Tokens > 0 ? _step.Run(tape, _cache) : [];
        Parallel.ForEach(answers, answer => Choose(answer.Sequence, answer.Logits));
        _completionTokens += answers.Length;
    }

    private static void Choose(BatchedSequence sequence, float[] logits)
    {
        try
        {
            if (!sequence.Left)
            {
                sequence.Take(logits);
            }
        }
        catch (ArithmeticException e)
        {
            sequence.Fail(e); // its logits are no numbers; the others' may be
        }
    }

    private void Publish() => Volatile.Write(ref _statistics, new BatchStatistics(
        _active.Count, _waiting.Count + _arriving.Count, _blocks.Held * KeyValueBlocks.Tokens, _cache.Rows, _promptTokens, _reusedTokens, _completionTokens));
}
