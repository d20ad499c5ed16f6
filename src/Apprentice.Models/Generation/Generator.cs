using System.Runtime.InteropServices;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Generation;

/// <summary>A prompt to be continued.</summary>
/// <param name="Prompt">Token ids, at least one.</param>
/// <param name="Options">Checked by the generator.</param>
/// <param name="EndTokens">Ids that end the answer; they are not part of it.</param>
public sealed record GenerationRequest(int[] Prompt, SamplingOptions Options, IReadOnlySet<int> EndTokens);

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>An end token or a stop string came.</summary>
    Stop,

    /// <summary>The answer reached its longest length.</summary>
    Length,
}

/// <summary>
/// Continues any number of prompts together: each step computes the new tokens of all active sequences in one batch of
/// segments, whole prompts beside single tokens, with their earlier keys and values in a cache. It knows tokens, not text,
/// and does not know how long the model's context is.
/// </summary>
/// <param name="model">The base model.</param>
/// <param name="engine">Where to run.</param>
/// <param name="adapter">The adapter, or null for the base itself.</param>
/// <param name="slots">Sequences that are active at once.</param>
/// <param name="kept">Where there is one, requests come one at a time and begin with what it holds.</param>
public sealed class Generator(LanguageModel model, Engine engine, LoraAdapter? adapter = null, int slots = 32, SequenceCache? kept = null)
{
    /// <summary>Prompt tokens that are computed in one step; a longer single prompt still goes in one piece.</summary>
    private const int PromptTokensPerStep = 2048;

    /// <summary>Generates for all requests.</summary>
    /// <param name="onToken">
    /// Is told request and token as they come, the end token excluded; answers whether to go on (false at a stop string).
    /// </param>
    /// <param name="onFinish">Is told request and reason once it is done.</param>
    /// <exception cref="InputException">A prompt is empty or an option makes no sense.</exception>
    public void Run(
        IReadOnlyList<GenerationRequest> requests, Func<int, int, bool> onToken, Action<int, FinishReason> onFinish, CancellationToken cancellation = default)
    {
        Check(requests);
        if (requests.Count == 0)
        {
            return;
        }

        var rowsPerSlot = requests.Max(r => r.Prompt.Length + r.Options.MaxTokens);
        var slotCount = Math.Min(slots, requests.Count);
        var cache = kept is null ? model.NewCache(slotCount * rowsPerSlot)
            : requests.Count == 1 ? kept.Begin(model, requests[0].Prompt, rowsPerSlot)
            : throw new ArgumentException("a kept sequence is for one request", nameof(requests));
        var active = new List<Sequence>();
        var free = new Stack<int>(Enumerable.Range(0, slotCount).Reverse());
        var next = 0;
        using var tape = new Tape(engine, recording: false);
        while (active.Count > 0 || next < requests.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            var promptTokens = 0;
            while (next < requests.Count && free.Count > 0
                && (promptTokens == 0 || promptTokens + requests[next].Prompt.Length <= PromptTokensPerStep))
            {
                promptTokens += requests[next].Prompt.Length;
                active.Add(new Sequence(next, requests[next], free.Pop() * rowsPerSlot) { Cached = kept?.Reused ?? 0 });
                next++;
            }

            foreach (var alike in active.GroupBy(s => s.Tokens.Count > model.ShortContext))
            {
                Step(tape, [.. alike], cache);
            }

            kept?.Keep(active[0].Tokens, active[0].Cached);
            foreach (var sequence in active)
            {
                Take(sequence, onToken);
            }

            foreach (var done in active.Where(s => s.Finished is not null))
            {
                free.Push(done.CacheStart / rowsPerSlot);
                onFinish(done.Index, done.Finished!.Value);
            }

            active.RemoveAll(s => s.Finished is not null);
        }
    }

    /// <summary>Computes the tokens that each sequence has not computed yet, and chooses its next one.</summary>
    private void Step(Tape tape, List<Sequence> active, KeyValueCache cache)
    {
        var ids = new List<int>();
        var rows = new List<int>();
        var segments = new List<Segment>();
        foreach (var sequence in active)
        {
            if (sequence.Cached <= model.ShortContext && sequence.Tokens.Count > model.ShortContext)
            {
                sequence.Cached = 0; // it has outgrown the rotation of its keys
            }

            var parent = -1;
            if (sequence.Cached > 0)
            {
                parent = segments.Count;
                segments.Add(new Segment(sequence.CacheStart, sequence.Cached, Cached: true));
            }

            var fresh = sequence.Tokens.Count - sequence.Cached;
            segments.Add(new Segment(ids.Count, fresh, sequence.Cached, parent));
            rows.AddRange(Enumerable.Range(sequence.CacheStart + sequence.Cached, fresh));
            ids.AddRange(sequence.Tokens.Skip(sequence.Cached));
            sequence.LastRow = ids.Count - 1;
            sequence.Cached = sequence.Tokens.Count;
        }

        var hidden = model.Forward(tape, new ForwardInput([.. ids], new Segments([.. segments]))
        {
            Adapter = adapter,
            Cache = cache,
            CacheRows = [.. rows],
            Wanted = [.. active.Select(s => s.LastRow)],
        });
        var logits = model.Logits(tape, hidden, adapter);
        for (var i = 0; i < active.Count; i++)
        {
            active[i].Next = Choose(active[i], logits.RowSpan(i));
        }

        tape.Reset();
    }

    private static int Choose(Sequence sequence, Span<float> logits)
    {
        var options = sequence.Request.Options;
        var uniform = new CounterRandom((ulong)options.Seed, RandomStream.Sampling).Uniform((ulong)sequence.Generated);
        return Sampler.Next(logits, CollectionsMarshal.AsSpan(sequence.Tokens), options, uniform);
    }

    private static void Take(Sequence sequence, Func<int, int, bool> onToken)
    {
        var (options, token) = (sequence.Request.Options, sequence.Next);
        if (sequence.Request.EndTokens.Contains(token))
        {
            sequence.Finished = FinishReason.Stop;
            return;
        }

        sequence.Tokens.Add(token);
        sequence.Finished = !onToken(sequence.Index, token) ? FinishReason.Stop
            : sequence.Generated >= options.MaxTokens ? FinishReason.Length
            : null;
    }

    private static void Check(IReadOnlyList<GenerationRequest> requests)
    {
        foreach (var request in requests)
        {
            request.Options.Validate();
            PromptRoom.RequireTokens(request.Prompt);
        }
    }

    private sealed class Sequence(int index, GenerationRequest request, int cacheStart)
    {
        public int Index => index;

        public GenerationRequest Request => request;

        /// <summary>First row of the cache that belongs to it.</summary>
        public int CacheStart => cacheStart;

        /// <summary>Prompt and answer so far.</summary>
        public List<int> Tokens { get; } = [.. request.Prompt];

        /// <summary>Leading tokens whose keys and values are in the cache.</summary>
        public int Cached { get; set; }

        /// <summary>Row of its last token in the current batch.</summary>
        public int LastRow { get; set; }

        /// <summary>The token that was chosen last.</summary>
        public int Next { get; set; }

        public int Generated => Tokens.Count - request.Prompt.Length;

        public FinishReason? Finished { get; set; }
    }
}
