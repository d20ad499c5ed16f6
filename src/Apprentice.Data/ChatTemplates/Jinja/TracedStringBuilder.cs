using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Puts together a <see cref="TracedString"/>; neighbouring characters of one origin share a run.</summary>
internal sealed class TracedStringBuilder
{
    private readonly StringBuilder _text = new();
    private readonly List<Run> _runs = [];

    public int Length => _text.Length;

    public void Append(ReadOnlySpan<char> text, Origin origin = default)
    {
        if (text.IsEmpty)
        {
            return;
        }

        _text.Append(text);
        if (_runs.Count > 0 && _runs[^1].Origin == origin)
        {
            _runs[^1] = new Run(_text.Length, origin);
        }
        else
        {
            _runs.Add(new Run(_text.Length, origin));
        }
    }

    public void Append(TracedString text, int emitter = 0, int generation = 0)
    {
        var start = 0;
        foreach (var run in text.Runs)
        {
            Append(text.Text.AsSpan(start, run.End - start), run.Origin.Stamped(emitter, generation));
            start = run.End;
        }
    }

    /// <summary>
    /// If all that was written since <paramref name="start"/> copies one message only, that message's turn wrote all of it.
    /// </summary>
    public void StampWithItsOnlyMessage(int start)
    {
        var first = _runs.Count;
        while (first > 0 && _runs[first - 1].End > start)
        {
            first--;
        }

        var written = _runs[first..];
        var messages = written.Select(r => r.Origin.Content).Where(m => m != 0).Distinct().Take(2).ToList();
        if (messages.Count != 1)
        {
            return;
        }

        var begin = first == 0 ? 0 : _runs[first - 1].End;
        _runs.RemoveRange(first, written.Count);
        if (begin < start)
        {
            _runs.Add(new Run(start, written[0].Origin));
        }

        _runs.AddRange(written.Select(r => r with { Origin = r.Origin.Stamped(messages[0], 0) }));
    }

    public TracedString ToTraced() => Length == 0 ? TracedString.Empty : new TracedString(_text.ToString(), [.. _runs]);
}
