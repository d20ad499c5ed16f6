using System.Globalization;
using System.Text;

namespace Apprentice.Cli.Chat;

/// <summary>What a key did to a line.</summary>
internal enum Pressed
{
    /// <summary>Text or cursor may have changed.</summary>
    Edited,

    /// <summary>The line is complete.</summary>
    Entered,

    /// <summary>Ctrl-C.</summary>
    Interrupted,

    /// <summary>Ctrl-D on an empty line.</summary>
    Ended,
}

/// <summary>A line that is being typed: its text, the cursor, and the lines entered before. Knows keys, no terminal.</summary>
internal sealed class LineEditor
{
    private readonly StringBuilder _text = new();
    private readonly List<string> _entered = [];
    private int _shown; // of the lines entered before; their number: the new one
    private string _unfinished = "";

    public string Text => _text.ToString();

    /// <summary>Index in the text, between two characters as people count them.</summary>
    public int Cursor { get; private set; }

    /// <param name="more">Whether more keys wait: then an Enter is a line break of a pasted text.</param>
    public Pressed Press(ConsoleKeyInfo key, bool more = false)
    {
        var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        switch (key.Key)
        {
            case ConsoleKey.C when control: return Pressed.Interrupted;
            case ConsoleKey.D when control && _text.Length == 0: return Pressed.Ended;
            case ConsoleKey.Enter when !more: return Pressed.Entered;
            case ConsoleKey.Enter: Insert('\n'); break;
            case ConsoleKey.J when control: Insert('\n'); break;
            case ConsoleKey.LeftArrow: Cursor = control ? WordStart() : Before(); break;
            case ConsoleKey.RightArrow: Cursor = control ? WordEnd() : After(); break;
            case ConsoleKey.B when control: Cursor = Before(); break;
            case ConsoleKey.F when control: Cursor = After(); break;
            case ConsoleKey.Home: case ConsoleKey.A when control: Cursor = 0; break;
            case ConsoleKey.End: case ConsoleKey.E when control: Cursor = _text.Length; break;
            case ConsoleKey.Backspace: Remove(control ? WordStart() : Before(), Cursor); break;
            case ConsoleKey.W when control: Remove(WordStart(), Cursor); break;
            case ConsoleKey.U when control: Remove(0, Cursor); break;
            case ConsoleKey.K when control: Remove(Cursor, _text.Length); break;
            case ConsoleKey.Delete: case ConsoleKey.D when control: Remove(Cursor, After()); break;
            case ConsoleKey.UpArrow: Show(_shown - 1); break;
            case ConsoleKey.DownArrow: Show(_shown + 1); break;
            default: Insert(key.KeyChar); break;
        }

        return Pressed.Edited;
    }

    /// <summary>Gives the line away, keeps it to be called up again, and begins an empty one.</summary>
    public string Take()
    {
        var line = Text;
        if (line.Length > 0 && (_entered.Count == 0 || _entered[^1] != line))
        {
            _entered.Add(line);
        }

        Clear();
        return line;
    }

    public void Clear()
    {
        _text.Clear();
        (Cursor, _shown, _unfinished) = (0, _entered.Count, "");
    }

    private void Show(int index)
    {
        if (index < 0 || index > _entered.Count)
        {
            return;
        }

        _unfinished = _shown == _entered.Count ? Text : _unfinished;
        _shown = index;
        _text.Clear().Append(index == _entered.Count ? _unfinished : _entered[index]);
        Cursor = _text.Length;
    }

    private void Insert(char character)
    {
        if (character == '\n' || character == '\t' || !char.IsControl(character))
        {
            _text.Insert(Cursor++, character);
        }
    }

    private void Remove(int from, int to)
    {
        _text.Remove(from, to - from);
        Cursor = from;
    }

    private int After() => Cursor == _text.Length ? Cursor : Cursor + StringInfo.GetNextTextElementLength(Text, Cursor);

    private int Before() => StringInfo.ParseCombiningCharacters(Text).TakeWhile(start => start < Cursor).LastOrDefault();

    private int WordStart()
    {
        var at = Cursor;
        for (; at > 0 && char.IsWhiteSpace(_text[at - 1]); at--)
        {
        }

        for (; at > 0 && !char.IsWhiteSpace(_text[at - 1]); at--)
        {
        }

        return at;
    }

    private int WordEnd()
    {
        var at = Cursor;
        for (; at < _text.Length && char.IsWhiteSpace(_text[at]); at++)
        {
        }

        for (; at < _text.Length && !char.IsWhiteSpace(_text[at]); at++)
        {
        }

        return at;
    }
}
