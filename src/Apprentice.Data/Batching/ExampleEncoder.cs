using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Data.Batching;

/// <summary>What a tokenizer does; special tokens that the text spells out are special tokens.</summary>
public delegate Encoding Encode(string text, bool addSpecialTokens);

/// <summary>What a chat template does with the conversation of an example.</summary>
public delegate RenderedChat Render(Example example);

/// <summary>The examples of a dataset as tokens, and what became of those that were too long.</summary>
/// <param name="Examples">Never empty.</param>
/// <param name="Longest">Tokens in the longest example, before anything was cut.</param>
/// <param name="Truncated">How many were cut.</param>
/// <param name="Dropped">How many were left out.</param>
public sealed record EncodedDataset(IReadOnlyList<TokenizedExample> Examples, int Longest, int Truncated, int Dropped);

/// <summary>
/// Turns examples into tokens with a loss weight each. A conversation goes through the chat template and what the template
/// says of the assistant is learned; a raw prompt/completion pair learns the completion and the end-of-text token; plain text
/// learns everything.
/// </summary>
/// <param name="encode">The tokenizer.</param>
/// <param name="render">The chat template, or null to train on prompt and completion as they stand (<c>--raw</c>).</param>
/// <param name="endOfText">Id of the token that ends a text without a template, or null where the tokenizer has none.</param>
public sealed class ExampleEncoder(Encode encode, Render? render, int? endOfText)
{
    private readonly Lazy<int[]> _beginning = new(() => BeginningOf(encode));

    /// <summary>All examples, each with at most <paramref name="maxLength"/> tokens.</summary>
    /// <exception cref="InputException">Too long ones where <paramref name="longExamples"/> is Stop; an example without anything to learn.</exception>
    public EncodedDataset EncodeAll(IReadOnlyList<Example> examples, int maxLength, LongExamples longExamples = LongExamples.Stop)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        var encoded = new List<TokenizedExample>(examples.Count);
        var tooLong = new List<TokenizedExample>();
        var longest = 0;
        foreach (var example in examples)
        {
            var tokens = Encode(example);
            longest = Math.Max(longest, tokens.Ids.Length);
            if (tokens.Ids.Length > maxLength)
            {
                tooLong.Add(tokens);
                if (longExamples != LongExamples.Truncate)
                {
                    continue;
                }

                tokens = Truncate(tokens, maxLength);
            }

            encoded.Add(tokens);
        }

        if (tooLong.Count > 0 && longExamples == LongExamples.Stop)
        {
            var lines = string.Join(", ", tooLong.Take(5).Select(example => example.Line)) + (tooLong.Count > 5 ? ", …" : "");
            throw new InputException(
                "too_long",
                $"{tooLong.Count} of {examples.Count} examples have more than {maxLength} tokens; the longest has {longest} (lines {lines})",
                tooLong[0].File,
                tooLong[0].Line,
                "raise the maximum length, or say that long examples are truncated or dropped");
        }

        return encoded.Count > 0
            ? new EncodedDataset(encoded, longest, longExamples == LongExamples.Truncate ? tooLong.Count : 0, longExamples == LongExamples.Drop ? tooLong.Count : 0)
            : throw new InputException("no_examples", $"no example is left: all {tooLong.Count} have more than {maxLength} tokens", examples.Count > 0 ? examples[0].File : null);
    }

    /// <summary>One example, however long.</summary>
    /// <exception cref="InputException">There is nothing to learn in it, or it is a conversation and there is no template.</exception>
    public TokenizedExample Encode(Example example)
    {
        var tokens = example switch
        {
            { Text: { } text } => WithoutTemplate(example, "", text),
            { Raw: { } raw } when render is null => WithoutTemplate(example, raw.Prompt, raw.Completion),
            _ when render is null => throw Error(example, "raw_needs_prompt_completion", "only prompt/completion and plain text can be trained on without a chat template"),
            _ => WithTemplate(example, render),
        };
        return tokens.Supervised > 0 ? tokens : throw Error(example, "nothing_supervised", "no token of the example would be learned");
    }

    private TokenizedExample WithTemplate(Example example, Render template)
    {
        var (text, learned) = Rendered(example, template);

        // The template writes the special tokens itself; the tokenizer's would come twice.
        var (ids, offsets) = encode(text, addSpecialTokens: false);
        var weights = new float[ids.Length];
        var next = 0;
        for (var i = 1; i < ids.Length; i++)
        {
            // Some tokenizers trim white space off the spans, all of it where a token is nothing else: such a token stands for
            // what lies between its neighbours.
            var (start, end) = offsets[i];
            start = start == end ? offsets[i - 1].End : start;

            // Both lists are in the order of the text. A token that reaches into a learned span is learned: otherwise the first
            // of an answer would not be where the tokenizer joins it to the white space before.
            while (next < learned.Count && learned[next].End <= start)
            {
                next++;
            }

            if (next < learned.Count && learned[next].Start < end)
            {
                weights[i] = example.Weights[learned[next].Message];
            }
        }

        return new TokenizedExample(ids, weights, example.File, example.Line);
    }

    internal static RenderedChat Rendered(Example example, Render template)
    {
        try
        {
            return template(example);
        }
        catch (InputException e)
        {
            // The template names its own line; the user needs the line of the data.
            throw new InputException(e.Code, $"line {example.Line}: the chat template cannot write this example: {e.Message}", example.File, example.Line, e.Hint);
        }
    }

    /// <summary>The tokenizer's beginning and the prompt are read; the completion and the end are learned.</summary>
    private TokenizedExample WithoutTemplate(Example example, string prompt, string completion)
    {
        var end = endOfText ?? throw Error(example, "no_end_token", "the tokenizer does not say which token ends a text, so nothing can be learned without a chat template");
        int[] read = prompt.Length == 0 ? _beginning.Value : [.. _beginning.Value, .. encode(prompt, addSpecialTokens: false).Ids];
        int[] ids = [.. read, .. encode(completion, addSpecialTokens: false).Ids, end];
        var weights = new float[ids.Length];
        weights.AsSpan(Math.Max(1, read.Length)).Fill(1);
        return new TokenizedExample(ids, weights, example.File, example.Line);
    }

    private static TokenizedExample Truncate(TokenizedExample example, int length)
    {
        var cut = example with { Ids = example.Ids[..length], Weights = example.Weights[..length] };
        return cut.Supervised > 0 ? cut : throw new InputException(
            "nothing_supervised",
            $"line {example.Line}: the example has {example.Ids.Length} tokens, and in the first {length} there is nothing to learn",
            example.File,
            example.Line,
            "raise the maximum length, or say that long examples are dropped");
    }

    /// <summary>
    /// What the tokenizer puts before a text (its BOS, or nothing), seen on a probe; what it would put behind is not wanted,
    /// since the end of a text is ours to say.
    /// </summary>
    public static int[] BeginningOf(Encode encode)
    {
        var bare = encode("a", addSpecialTokens: false).Ids;
        var full = encode("a", addSpecialTokens: true).Ids;
        return full[..Math.Max(0, full.AsSpan().IndexOf(bare))];
    }

    private static InputException Error(Example example, string code, string message) =>
        new(code, $"line {example.Line}: {message}", example.File, example.Line);
}
