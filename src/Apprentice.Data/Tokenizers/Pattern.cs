using System.Numerics;
using System.Runtime.InteropServices;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// A compiled pattern for cutting text into pieces. Leftmost match, alternatives in their order, as Oniguruma does,
/// over code points. Bounded: matching refuses a pattern that backtracks more than a fixed number of
/// steps a character, so a hostile one cannot hang. Immutable, usable from many threads.
/// </summary>
internal sealed class Pattern
{
    private const int MaxInstructions = 4096;
    private const int StepsPerCharacter = 128;
    private const int MaxChoices = 64;
    private readonly List<PatternInstruction> _code = [];
    private readonly string _source;

    // The outermost alternatives: where each begins, and by ASCII character which of them can begin with it, a bit each.
    private readonly List<int> _choices = [];
    private readonly ulong[] _firsts = new ulong[128];

    /// <exception cref="FormatException">The pattern uses something that is not supported; the message names it.</exception>
    public Pattern(string source)
    {
        _source = source;
        var root = PatternParser.Parse(source);
        foreach (var choice in root is PatternNode.Alternation { Choices.Count: <= MaxChoices } alternation ? alternation.Choices : [root])
        {
            var first = choice.Nullable ? UInt128.MaxValue : choice.First;
            for (var c = 0; c < 128; c++)
            {
                _firsts[c] |= (first >> c & 1) == 1 ? 1UL << _choices.Count : 0;
            }

            _choices.Add(_code.Count);
            Emit(choice);
            Add(new PatternInstruction { Op = PatternOp.Accept });
        }
    }

    public string Source => _source;

    /// <summary>A pattern that matches exactly this text.</summary>
    public static Pattern Literal(string text) =>
        new(string.Concat(text.Select(c => c < 0x80 && !char.IsAsciiLetterOrDigit(c) ? $"\\x{{{(int)c:x}}}" : c.ToString())));

    /// <summary>All matches from left to right, none overlapping, as (start, end) in UTF-16 units.</summary>
    /// <exception cref="InputException">The pattern backtracks too much on this text.</exception>
    public void Matches(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        foreach (var match in Matches(text, stackalloc PatternFrame[32]))
        {
            matches.Add(match);
        }
    }

    /// <summary>The same one by one; <paramref name="frames"/> is room to work in.</summary>
    public PatternMatches Matches(ReadOnlySpan<char> text, Span<PatternFrame> frames) =>
        new(this, text, new PatternMatcher(CollectionsMarshal.AsSpan(_code), text, frames, MaxInstructions + ((long)StepsPerCharacter * text.Length)));

    /// <summary>Goes on to the next match.</summary>
    internal bool Next(ref PatternMatcher matcher, ReadOnlySpan<char> text, ref int start, ref int lastEnd)
    {
        for (; start <= text.Length; start += start < text.Length ? Utf16.Length(text, start) : 1)
        {
            // Only alternatives that can begin with this character are tried.
            for (var open = start < text.Length && text[start] < 0x80 ? _firsts[text[start]] : ulong.MaxValue >> (MaxChoices - _choices.Count); open != 0; open &= open - 1)
            {
                var end = matcher.Run(_choices[BitOperations.TrailingZeroCount(open)], start);
                if (matcher.Steps < 0)
                {
                    throw new InputException("tokenizer_pattern_too_slow", $"The tokenizer's regular expression '{_source}' backtracks without end on this text; use a pattern without nested or competing repeats.");
                }

                if (end < 0)
                {
                    continue;
                }

                if (end == start && end == lastEnd)
                {
                    break; // an empty match right after another does not count
                }

                lastEnd = end;
                return true;
            }
        }

        return false;
    }

    private int Add(PatternInstruction instruction)
    {
        if (_code.Count >= MaxInstructions)
        {
            throw new FormatException("a regular expression this large is not supported");
        }

        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void Patch(int at, int? target = null, int? other = null)
    {
        var instruction = _code[at];
        instruction.Target = target ?? instruction.Target;
        instruction.Other = other ?? instruction.Other;
        _code[at] = instruction;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Set set: Add(new PatternInstruction { Op = PatternOp.Set, Set = set.Characters }); break;
            case PatternNode.Sequence sequence: sequence.Items.ForEach(Emit); break;
            case PatternNode.Alternation alternation: EmitChoices(alternation.Choices); break;
            case PatternNode.Lookahead look: EmitNested(look.Negative ? PatternOp.NotLook : PatternOp.Look, look.Item); break;
            case PatternNode.Atomic atomic: EmitNested(PatternOp.Atomic, atomic.Item); break;
            case PatternNode.Repeat { Item: PatternNode.Set set, Kind: not 'l' } run:
                Add(new PatternInstruction { Op = PatternOp.Run, Set = set.Characters, Min = run.Min, Max = run.Max, Possessive = run.Kind == 'p' });
                break;
            case PatternNode.Repeat { Kind: 'p' } repeat: EmitNested(PatternOp.Atomic, repeat with { Kind = 'g' }); break;
            case PatternNode.Repeat repeat: EmitRepeat(repeat); break;
        }
    }

    private void EmitNested(PatternOp op, PatternNode item)
    {
        var at = Add(new PatternInstruction { Op = op });
        Emit(item);
        Add(new PatternInstruction { Op = PatternOp.Accept });
        Patch(at, target: _code.Count);
    }

    private void EmitChoices(List<PatternNode> choices)
    {
        var jumps = new List<int>();
        for (var i = 0; i < choices.Count; i++)
        {
            var split = i < choices.Count - 1 ? Add(new PatternInstruction { Op = PatternOp.Split, Target = _code.Count + 1 }) : -1;
            Emit(choices[i]);
            if (split >= 0)
            {
                jumps.Add(Add(new PatternInstruction { Op = PatternOp.Jump }));
                Patch(split, other: _code.Count);
            }
        }

        jumps.ForEach(j => Patch(j, target: _code.Count));
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        for (var i = 0; i < repeat.Min; i++)
        {
            Emit(repeat.Item);
        }

        var splits = new List<int>();
        for (var i = repeat.Min; i < repeat.Max; i++)
        {
            var split = Add(new PatternInstruction { Op = PatternOp.Split });
            splits.Add(split);
            Emit(repeat.Item);
            if (repeat.Max == int.MaxValue)
            {
                Add(new PatternInstruction { Op = PatternOp.Jump, Target = split });
                break;
            }
        }

        foreach (var split in splits)
        {
            var (body, end) = (split + 1, _code.Count);
            Patch(split, repeat.Kind == 'l' ? end : body, repeat.Kind == 'l' ? body : end);
        }
    }
}

/// <summary>The matches of a pattern in a text, for one foreach.</summary>
internal ref struct PatternMatches(Pattern pattern, ReadOnlySpan<char> text, PatternMatcher matcher)
{
    private readonly ReadOnlySpan<char> _text = text;
    private PatternMatcher _matcher = matcher;
    private int _start;
    private int _end = -1;

    public readonly (int Start, int End) Current => (_start, _end);

    public readonly PatternMatches GetEnumerator() => this;

    public bool MoveNext()
    {
        _start = Math.Max(_start, _end);
        return pattern.Next(ref _matcher, _text, ref _start, ref _end);
    }
}
