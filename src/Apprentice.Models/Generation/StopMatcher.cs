using System.Text;

namespace Apprentice.Models.Generation;

/// <summary>
/// Ends a stream of text before the first stop string and holds back what may be the beginning of one. The first stop
/// string is the one that is complete first; of those that end together, the longest. How the text is cut into pieces
/// makes no difference.
/// </summary>
public sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private readonly StringBuilder held = new();

    /// <summary>The stop string that was found, or null.</summary>
    public string? Matched { get; private set; }

    /// <summary>Takes the next piece of text and returns what may be shown now.</summary>
    public string Push(string piece)
    {
        if (Matched is not null)
        {
            return "";
        }

        foreach (var c in piece)
        {
            held.Append(c);
            foreach (var stop in stops)
            {
                if (stop.Length > (Matched?.Length ?? 0) && EndsWith(stop, stop.Length))
                {
                    Matched = stop;
                }
            }

            if (Matched is not null)
            {
                held.Length -= Matched.Length;
                return Finish();
            }
        }

        return Release(held.Length - LongestBeginning());
    }

    /// <summary>What was still held back when the text ended.</summary>
    public string Finish() => Release(held.Length);

    private string Release(int count)
    {
        var text = held.ToString(0, count);
        held.Remove(0, count);
        return text;
    }

    // Length of the longest end of the held text that begins a stop string.
    private int LongestBeginning()
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, held.Length); length > longest; length--)
            {
                if (EndsWith(stop, length))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }

    // Whether the held text ends in the first characters of a stop string.
    private bool EndsWith(string stop, int length)
    {
        var start = held.Length - length;
        if (start < 0)
        {
            return false;
        }

        for (var i = 0; i < length; i++)
        {
            if (held[start + i] != stop[i])
            {
                return false;
            }
        }

        return true;
    }
}
