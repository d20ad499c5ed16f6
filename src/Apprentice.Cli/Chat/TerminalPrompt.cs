using System.Globalization;
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Apprentice.Cli.Chat;

/// <summary>Reads lines on a terminal that knows ANSI, drawing what <see cref="LineEditor"/> holds.</summary>
internal sealed class TerminalPrompt(IAnsiConsole console)
{
    private const string Mark = "> ", Indent = "  ";

    private readonly LineEditor _editor = new();
    private int _cursorRow; // below the first row of what is drawn
    private int _rowsBelow; // from the cursor to the last row

    /// <summary>The next line; null when the conversation is to end: Ctrl-D, or a second Ctrl-C in a row.</summary>
    /// <param name="interrupted">Whether the last thing before was a Ctrl-C.</param>
    public string? Read(bool interrupted)
    {
        Console.TreatControlCAsInput = true;
        try
        {
            Draw();
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                switch (_editor.Press(key, Console.KeyAvailable))
                {
                    case Pressed.Entered:
                        Leave();
                        return _editor.Take();
                    case Pressed.Ended:
                    case Pressed.Interrupted when interrupted:
                        Leave();
                        return null;
                    case Pressed.Interrupted:
                        Leave();
                        _editor.Clear();
                        console.MarkupLine("[grey]Ctrl-C again or Ctrl-D ends the conversation[/]");
                        interrupted = true;
                        break;
                    default:
                        interrupted = false;
                        break;
                }

                if (!Console.KeyAvailable)
                {
                    Draw(); // a pasted text is drawn once
                }
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    /// <summary>Where the cursor is after a text, in a terminal of so many columns, counted from where the text begins.</summary>
    internal static (int Row, int Column) End(string text, int width)
    {
        var (row, column) = (0, 0);
        for (var elements = StringInfo.GetTextElementEnumerator(text); elements.MoveNext();)
        {
            var element = elements.GetTextElement();
            if (element is "\n" or "\r\n")
            {
                (row, column) = (row + 1, 0);
                continue;
            }

            var cells = new Segment(element).CellCount();
            (row, column) = column + cells > width ? (row + 1, cells) : (row, column + cells);
        }

        return column >= width ? (row + 1, 0) : (row, column);
    }

    private void Draw()
    {
        var width = Math.Max(4, console.Profile.Width);
        var (text, cursor) = (Mark + Shown(_editor.Text), End(Mark + Shown(_editor.Text[.._editor.Cursor]), width));
        var end = End(text, width);
        var drawn = new StringBuilder("\r");
        Move(drawn, _cursorRow, 'A').Append("\e[J").Append(Coloured(text).Replace("\n", "\r\n", StringComparison.Ordinal));
        if (end.Column == 0)
        {
            drawn.Append(" \r"); // what ends at the edge has not gone on to the next row yet
        }

        (_cursorRow, _rowsBelow) = (cursor.Row, end.Row - cursor.Row);
        Move(drawn, _rowsBelow, 'A').Append('\r');
        Move(drawn, cursor.Column, 'C');
        Write(drawn);
    }

    /// <summary>Goes on below the line, which may have been entered before it was drawn whole.</summary>
    private void Leave()
    {
        Draw();
        _cursorRow = 0;
        Write(Move(new StringBuilder(), _rowsBelow, 'B').Append("\r\n"));
    }

    private static string Shown(string text) => text.Replace("\t", Indent, StringComparison.Ordinal).Replace("\n", "\n" + Indent, StringComparison.Ordinal);

    private string Coloured(string text) =>
        console.Profile.Capabilities.ColorSystem == ColorSystem.NoColors ? text : $"\e[1;36m{text[..Mark.Length]}\e[0m{text[Mark.Length..]}";

    private static StringBuilder Move(StringBuilder text, int count, char direction) => count > 0 ? text.Append("\e[").Append(count).Append(direction) : text;

    private static void Write(StringBuilder text)
    {
        Console.Out.Write(text);
        Console.Out.Flush();
    }
}
