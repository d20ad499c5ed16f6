using System.Runtime.InteropServices;
using System.Threading.Channels;
using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Models.Generation;

/// <summary>One prompt of a <see cref="BatchedGenerator"/> and its answer so far. Touched by the generating thread only, but for <see cref="Pieces"/>.</summary>
internal sealed class BatchedSequence(LoadedModel model, int[] prompt, SamplingOptions options, CancellationToken cancellation)
{
    private readonly AnswerText _text = new(model.Text.Tokenizer, options.Stop);
    private readonly Channel<GeneratedPiece> _pieces = Channel.CreateUnbounded<GeneratedPiece>(new() { SingleReader = true, SingleWriter = true });
    private readonly List<TokenLogProbability> _scores = [];

    /// <summary>Prompt and answer so far.</summary>
    public List<int> Tokens { get; } = [.. prompt];

    /// <summary>The rows of the cache that are its own or shared, one block for each <see cref="KeyValueBlocks.Tokens"/> tokens, room for the answer included.</summary>
    public List<KeyValueBlock> Blocks { get; } = [];

    /// <summary>Tokens that it can come to.</summary>
    public int LongestLength => prompt.Length + options.MaxTokens;

    /// <summary>Leading tokens whose keys and values are in the cache.</summary>
    public int Computed { get; set; }

    /// <summary>How many of the prompt's were there already.</summary>
    public int Reused { get; set; }

    /// <summary>Leading tokens that are computed in whole blocks; after them one a step.</summary>
    public int Given { get; set; } = prompt.Length;

    /// <summary>The content of the last of its blocks that others can share; null at the beginning.</summary>
    public BlockContent? Content { get; set; }

    /// <summary>Whether its prompt may be shared: not where the keys of the same tokens can change on the way.</summary>
    public bool Shares { get; set; }

    public ChannelReader<GeneratedPiece> Pieces => _pieces.Reader;

    public bool Left => cancellation.IsCancellationRequested;

    public bool Finished { get; private set; }

    public int CompletionTokens { get; private set; }

    /// <summary>Uses a block that another prompt has computed in place of its own.</summary>
    public void Adopt(KeyValueBlock found, KeyValueBlocks blocks)
    {
        var index = Computed / KeyValueBlocks.Tokens;
        blocks.Release(Blocks[index]);
        Blocks[index] = found;
        Content = found.Content;
        Computed += KeyValueBlocks.Tokens;
        Reused += KeyValueBlocks.Tokens;
    }

    /// <summary>Gives all blocks back: the first ones last, for without them the others are not found again.</summary>
    public void Release(KeyValueBlocks blocks)
    {
        for (var i = Blocks.Count - 1; i >= 0; i--)
        {
            blocks.Release(Blocks[i]);
        }

        Blocks.Clear();
    }

    /// <summary>Chooses the next token and hands on what it makes certain.</summary>
    /// <param name="logits">[vocabulary]; overwritten.</param>
    public void Take(Span<float> logits)
    {
        var answer = CollectionsMarshal.AsSpan(Tokens)[prompt.Length..];
        var probabilities = options.LogProbabilities is { } top ? new LogProbabilities(logits, top) : null;
        LogitsFilters.Bias(logits, options.LogitBias);
        LogitsFilters.OccurrencePenalties(logits, answer, options.FrequencyPenalty, options.PresencePenalty);
        var uniform = new CounterRandom((ulong)options.Seed, RandomStream.Sampling).Uniform((ulong)answer.Length);
        var token = Sampler.Next(logits, CollectionsMarshal.AsSpan(Tokens), options, uniform);
        CompletionTokens++;
        if (model.EndTokens.Contains(token))
        {
            Finish(FinishReason.Stop);
            return;
        }

        Tokens.Add(token);
        if (probabilities is not null)
        {
            _scores.Add(probabilities.Of(token));
        }

        var text = _text.Push(token);
        if (_text.StopString is not null || CompletionTokens >= options.MaxTokens)
        {
            Finish(_text.StopString is null ? FinishReason.Length : FinishReason.Stop, text);
        }
        else if (text.Length > 0 || _scores.Count > 0)
        {
            Show(text, end: null);
        }
    }

    /// <summary>Ends it without an answer.</summary>
    public void Fail(Exception error)
    {
        Finished = true;
        _pieces.Writer.TryComplete(error);
    }

    private void Finish(FinishReason reason, string text = "")
    {
        Finished = true;
        text += _text.Finish();
        Show(text, new GenerationEnd(_text.StopString is null ? reason : FinishReason.Stop, prompt.Length, Reused, CompletionTokens, _text.StopString));
        _pieces.Writer.TryComplete();
    }

    private void Show(string text, GenerationEnd? end)
    {
        _pieces.Writer.TryWrite(new GeneratedPiece(text, [.. _scores], end));
        _scores.Clear();
    }
}
