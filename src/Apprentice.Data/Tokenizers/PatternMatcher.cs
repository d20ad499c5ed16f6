namespace Apprentice.Data.Tokenizers;

internal enum PatternOp { Accept, Set, Run, Split, Jump, Look, NotLook, Atomic }

/// <summary>
/// Set: one character of Set. Run: Min to Max characters of Set, greedy (Possessive: none given back).
/// Split: try Target, then Other. Look, NotLook, Atomic: the code from the next instruction up to its own Accept,
/// continue at Target.
/// </summary>
internal struct PatternInstruction
{
    public PatternOp Op;
    public CharacterSet? Set;
    public int Min;
    public int Max;
    public int Target;
    public int Other;
    public bool Possessive;
}

/// <summary>A place to go back to; where Floor is not negative, a run that can give back down to there.</summary>
internal record struct PatternFrame(int Pc, int At, int Floor);

/// <summary>Runs a pattern's instructions over a text, going back where an alternative fails.</summary>
internal ref struct PatternMatcher(ReadOnlySpan<PatternInstruction> code, ReadOnlySpan<char> text, Span<PatternFrame> frames, long steps)
{
    private readonly ReadOnlySpan<PatternInstruction> _code = code;
    private readonly ReadOnlySpan<char> _text = text;
    private Span<PatternFrame> _frames = frames;
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
                case PatternOp.Accept:
                    _count = floor;
                    return at;
                case PatternOp.Jump:
                    pc = i.Target;
                    break;
                case PatternOp.Split:
                    Push(new PatternFrame(i.Other, at, -1));
                    pc = i.Target;
                    break;
                case PatternOp.Set:
                    ok = at < _text.Length && i.Set!.Contains(Utf16.CodePoint(_text, at, out var length)) && Advance(ref at, length);
                    pc++;
                    break;
                case PatternOp.Run:
                    ok = Repeat(in i, pc + 1, ref at);
                    pc++;
                    break;
                case PatternOp.Look or PatternOp.NotLook:
                    ok = Run(pc + 1, at) >= 0 == (i.Op == PatternOp.Look);
                    pc = i.Target;
                    break;
                case PatternOp.Atomic:
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

    private bool Repeat(in PatternInstruction run, int next, ref int at)
    {
        var start = at;
        var floor = at;
        var count = 0;
        var set = run.Set!;
        while (count < run.Max && at < _text.Length && set.Contains(Utf16.CodePoint(_text, at, out var length)))
        {
            at += length;
            if (++count == run.Min)
            {
                floor = at;
            }
        }

        Steps -= at - start;
        if (count > run.Min && !run.Possessive)
        {
            Push(new PatternFrame(next, at, floor));
        }

        return count >= run.Min;
    }

    private void Push(PatternFrame frame)
    {
        if (_count == _frames.Length)
        {
            if (_count > 4096 + 4L * _text.Length)
            {
                Steps = -1; // more places to go back to than an honest pattern needs
                return;
            }

            var larger = new PatternFrame[_count * 2];
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
