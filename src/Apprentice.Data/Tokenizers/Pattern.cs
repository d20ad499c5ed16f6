using System.Runtime.InteropServices;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// A compiled pattern for cutting text into pieces. Leftmost match, alternatives in their order, as Oniguruma does,
/// over code points. Bounded: <see cref="Matches"/> refuses a pattern that backtracks more than a fixed number of
/// steps a character, so a hostile one cannot hang. Immutable, usable from many threads.
/// </summary>
internal sealed class Pattern
{
    private const int MaxInstructions = 4096;
    private const int StepsPerCharacter = 128;
    private readonly List<PatternInstruction> _code = [];
    private readonly string _source;

    /// <exception cref="FormatException">The pattern uses something that is not supported; the message names it.</exception>
    public Pattern(string source)
    {
        _source = source;
        Emit(PatternParser.Parse(source));
        _code.Add(new PatternInstruction { Op = PatternOp.Accept });
    }

    public string Source => _source;

    /// <summary>A pattern that matches exactly this text.</summary>
    public static Pattern Literal(string text) =>
        new(string.Concat(text.Select(c => c < 0x80 && !char.IsAsciiLetterOrDigit(c) ? $"\\x{{{(int)c:x}}}" : c.ToString())));

    /// <summary>All matches from left to right, none overlapping, as (start, end) in UTF-16 units.</summary>
    /// <exception cref="InputException">The pattern backtracks too much on this text.</exception>
    public void Matches(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        var matcher = new PatternMatcher(CollectionsMarshal.AsSpan(_code), text, stackalloc PatternFrame[64], MaxInstructions + (long)StepsPerCharacter * text.Length);
        var lastEnd = -1;
        for (var start = 0; start <= text.Length;)
        {
            var end = matcher.Run(0, start);
            if (matcher.Steps < 0)
            {
                throw new InputException("tokenizer_pattern_too_slow", $"The tokenizer's regular expression '{_source}' backtracks without end on this text; use a pattern without nested or competing repeats.");
            }

            if (end < 0 || (end == start && end == lastEnd))
            {
                start += start < text.Length ? Utf16.Length(text, start) : 1;
            }
            else
            {
                matches.Add((start, end));
                start = lastEnd = end;
            }
        }
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
