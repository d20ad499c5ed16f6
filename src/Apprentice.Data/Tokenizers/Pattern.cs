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
    private readonly List<Instruction> _code = [];
    private readonly string _source;

    /// <exception cref="FormatException">The pattern uses something that is not supported; the message names it.</exception>
    public Pattern(string source)
    {
        _source = source;
        Emit(PatternParser.Parse(source));
        _code.Add(new Instruction { Op = Op.Accept });
    }

    /// <summary>A pattern that matches exactly this text.</summary>
    public static Pattern Literal(string text) =>
        new(string.Concat(text.Select(c => c < 0x80 && !char.IsAsciiLetterOrDigit(c) ? $"\\x{{{(int)c:x}}}" : c.ToString())));

    /// <summary>All matches from left to right, none overlapping, as (start, end) in UTF-16 units.</summary>
    /// <exception cref="InputException">The pattern backtracks too much on this text.</exception>
    public void Matches(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        var matcher = new Matcher(CollectionsMarshal.AsSpan(_code), text, stackalloc Frame[64], 100_000 + (long)StepsPerCharacter * text.Length);
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

    private enum Op { Accept, Set, Run, Split, Jump, Look, NotLook, Atomic }

    /// <summary>
    /// Set: one character of Set. Run: Min to Max characters of Set, greedy (Possessive: none given back).
    /// Split: try Target, then Other. Look, NotLook, Atomic: the code from the next instruction up to its own Accept,
    /// continue at Target.
    /// </summary>
    private struct Instruction
    {
        public Op Op;
        public CharacterSet? Set;
        public int Min;
        public int Max;
        public int Target;
        public int Other;
        public bool Possessive;
    }

    /// <summary>A place to go back to; where Floor is not negative, a run that can give back down to there.</summary>
    private record struct Frame(int Pc, int At, int Floor);

    private int Add(Instruction instruction)
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
            case PatternNode.Set set: Add(new Instruction { Op = Op.Set, Set = set.Characters }); break;
            case PatternNode.Sequence sequence: sequence.Items.ForEach(Emit); break;
            case PatternNode.Alternation alternation: EmitChoices(alternation.Choices); break;
            case PatternNode.Lookahead look: EmitNested(look.Negative ? Op.NotLook : Op.Look, look.Item); break;
            case PatternNode.Atomic atomic: EmitNested(Op.Atomic, atomic.Item); break;
            case PatternNode.Repeat { Item: PatternNode.Set set, Kind: not 'l' } run:
                Add(new Instruction { Op = Op.Run, Set = set.Characters, Min = run.Min, Max = run.Max, Possessive = run.Kind == 'p' });
                break;
            case PatternNode.Repeat { Kind: 'p' } repeat: EmitNested(Op.Atomic, repeat with { Kind = 'g' }); break;
            case PatternNode.Repeat repeat: EmitRepeat(repeat); break;
        }
    }

    private void EmitNested(Op op, PatternNode item)
    {
        var at = Add(new Instruction { Op = op });
        Emit(item);
        Add(new Instruction { Op = Op.Accept });
        Patch(at, target: _code.Count);
    }

    private void EmitChoices(List<PatternNode> choices)
    {
        var jumps = new List<int>();
        for (var i = 0; i < choices.Count; i++)
        {
            var split = i < choices.Count - 1 ? Add(new Instruction { Op = Op.Split, Target = _code.Count + 1 }) : -1;
            Emit(choices[i]);
            if (split >= 0)
            {
                jumps.Add(Add(new Instruction { Op = Op.Jump }));
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
            var split = Add(new Instruction { Op = Op.Split });
            splits.Add(split);
            Emit(repeat.Item);
            if (repeat.Max == int.MaxValue)
            {
                Add(new Instruction { Op = Op.Jump, Target = split });
                break;
            }
        }

        foreach (var split in splits)
        {
            var (body, end) = (split + 1, _code.Count);
            Patch(split, repeat.Kind == 'l' ? end : body, repeat.Kind == 'l' ? body : end);
        }
    }

    private ref struct Matcher(ReadOnlySpan<Instruction> code, ReadOnlySpan<char> text, Span<Frame> frames, long steps)
    {
        private readonly ReadOnlySpan<Instruction> _code = code;
        private readonly ReadOnlySpan<char> _text = text;
        private Span<Frame> _frames = frames;
        private int _count;

        /// <summary>Steps left; negative when they have run out.</summary>
        public long Steps { get; private set; } = steps;

        /// <summary>The end of the match that begins at <paramref name="at"/>, or -1.</summary>
        public int Run(int pc, int at)
        {
            var floor = _count;
            while (Steps-- >= 0)
            {
                ref readonly var i = ref _code[pc];
                var ok = true;
                switch (i.Op)
                {
                    case Op.Accept:
                        _count = floor;
                        return at;
                    case Op.Jump:
                        pc = i.Target;
                        break;
                    case Op.Split:
                        Push(new Frame(i.Other, at, -1));
                        pc = i.Target;
                        break;
                    case Op.Set:
                        ok = at < _text.Length && i.Set!.Contains(Utf16.CodePoint(_text, at, out var length)) && Advance(ref at, length);
                        pc++;
                        break;
                    case Op.Run:
                        ok = Repeat(in i, pc + 1, ref at);
                        pc++;
                        break;
                    case Op.Look or Op.NotLook:
                        ok = Run(pc + 1, at) >= 0 == (i.Op == Op.Look);
                        pc = i.Target;
                        break;
                    case Op.Atomic:
                        var end = Run(pc + 1, at);
                        ok = end >= 0 && Advance(ref at, end - at);
                        pc = i.Target;
                        break;
                }

                if (!ok && !Back(floor, ref pc, ref at))
                {
                    return -1;
                }
            }

            _count = floor;
            return -1;
        }

        private static bool Advance(ref int at, int length)
        {
            at += length;
            return true;
        }

        private bool Repeat(in Instruction run, int next, ref int at)
        {
            var start = at;
            var floor = at;
            var count = 0;
            for (; count < run.Max && at < _text.Length && run.Set!.Contains(Utf16.CodePoint(_text, at, out var length)); at += length)
            {
                if (++count == run.Min)
                {
                    floor = at + length;
                }
            }

            Steps -= at - start;
            if (count > run.Min && !run.Possessive)
            {
                Push(new Frame(next, at, floor));
            }

            return count >= run.Min;
        }

        private void Push(Frame frame)
        {
            if (_count == _frames.Length)
            {
                if (_count > 100_000 + 4L * _text.Length)
                {
                    Steps = -1; // more places to go back to than an honest pattern needs
                    return;
                }

                var larger = new Frame[_count * 2];
                _frames.CopyTo(larger);
                _frames = larger;
            }

            _frames[_count++] = frame;
        }

        private bool Back(int floor, ref int pc, ref int at)
        {
            if (_count == floor)
            {
                return false;
            }

            ref var top = ref _frames[_count - 1];
            (pc, at) = (top.Pc, top.At);
            if (top.Floor >= 0)
            {
                at -= Utf16.LengthBefore(_text, at);
                top.At = at;
            }

            if (top.Floor < 0 || at <= top.Floor)
            {
                _count--;
            }

            return true;
        }
    }
}
