using Apprentice.Cli.Chat;

namespace Apprentice.Tests.Cli.Chat;

public class LineEditorTests
{
    private readonly LineEditor _editor = new();

    [Fact]
    public void Text_is_typed_and_mended()
    {
        Type("helo wörld 😀!");
        Press(ConsoleKey.LeftArrow, ConsoleKey.LeftArrow);
        Assert.Equal("helo wörld ".Length, _editor.Cursor); // over the whole emoji
        Press(ConsoleKey.Delete);
        Assert.Equal("helo wörld !", _editor.Text);
        Control(ConsoleKey.LeftArrow);
        Control(ConsoleKey.LeftArrow);
        Press(ConsoleKey.RightArrow, ConsoleKey.RightArrow, ConsoleKey.RightArrow);
        Type("l");
        Assert.Equal("hello wörld !", _editor.Text);
        Control(ConsoleKey.K);
        Control(ConsoleKey.A);
        Control(ConsoleKey.D);
        Press(ConsoleKey.End);
        Press(ConsoleKey.Backspace);
        Assert.Equal("el", _editor.Text);
        Type("s one");
        Control(ConsoleKey.W);
        Assert.Equal("els ", _editor.Text);
        Control(ConsoleKey.U);
        Assert.Equal(("", Pressed.Ended), (_editor.Text, Control(ConsoleKey.D)));
    }

    [Fact]
    public void Lines_entered_before_come_back()
    {
        Enter("one");
        Enter("two");
        Enter("two");
        Type("three");
        Press(ConsoleKey.UpArrow);
        Assert.Equal("two", _editor.Text);
        Press(ConsoleKey.UpArrow, ConsoleKey.UpArrow, ConsoleKey.UpArrow);
        Assert.Equal("one", _editor.Text);
        Press(ConsoleKey.DownArrow, ConsoleKey.DownArrow, ConsoleKey.DownArrow);
        Assert.Equal("three", _editor.Text);
    }

    [Fact]
    public void A_pasted_line_break_does_not_end_the_line()
    {
        Type("one");
        Assert.Equal(Pressed.Edited, _editor.Press(Key(ConsoleKey.Enter, '\r'), more: true));
        Type("two\e");
        Assert.Equal(Pressed.Entered, _editor.Press(Key(ConsoleKey.Enter, '\r')));
        Assert.Equal("one\ntwo", _editor.Take());
        Assert.Equal(Pressed.Interrupted, Control(ConsoleKey.C));
    }

    [Theory]
    [InlineData("", 10, 0, 0)]
    [InlineData("abc", 10, 0, 3)]
    [InlineData("abcdefghij", 10, 1, 0)]
    [InlineData("abcdefghijk", 10, 1, 1)]
    [InlineData("ab\ncd", 10, 1, 2)]
    [InlineData("日本", 10, 0, 4)]
    [InlineData("a日本日本日", 10, 1, 2)]
    public void Where_a_text_ends(string text, int width, int row, int column) => Assert.Equal((row, column), TerminalPrompt.End(text, width));

    private void Enter(string line)
    {
        Type(line);
        Assert.Equal(line, _editor.Take());
    }

    private void Type(string text)
    {
        foreach (var c in text)
        {
            _editor.Press(Key(default, c));
        }
    }

    private void Press(params ConsoleKey[] keys) => Array.ForEach(keys, k => _editor.Press(Key(k, '\0')));

    private Pressed Control(ConsoleKey key) => _editor.Press(new ConsoleKeyInfo('\0', key, shift: false, alt: false, control: true));

    private static ConsoleKeyInfo Key(ConsoleKey key, char c) => new(c, key, shift: false, alt: false, control: false);
}
