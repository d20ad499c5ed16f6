namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// Cuts a template into tokens as Jinja 3.1 does with the settings of transformers: trim_blocks (the first newline after a
/// block is dropped), lstrip_blocks (blanks before a block on its line are dropped), one newline at the end is dropped.
/// </summary>
internal sealed partial class Lexer
{
    private const int MaxTokens = 200_000;
    private static readonly string[] Operators = ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];
    private readonly string _source;
    private readonly int[] _lineStarts;
    private readonly List<Token> _tokens = [];
    private int _at;

    private Lexer(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
        _lineStarts = [0, .. Enumerable.Range(0, _source.Length).Where(i => _source[i] == '\n').Select(i => i + 1)];
    }

    public static List<Token> Tokenize(string source)
    {
        var lexer = new Lexer(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        var lineStarting = true;
        while (true)
        {
            var start = _at;
            var open = FindTag(start);
            var text = _source[start..(open < 0 ? _source.Length : open)];
            if (open < 0)
            {
                AddData(text, start);
                Add(TokenKind.End, "", _source.Length);
                return;
            }

            var kind = _source[open + 1];
            var sign = open + 2 < _source.Length ? _source[open + 2] : '\0';
            AddData(StripBefore(text, sign, kind, lineStarting), start);
            _at = open + 2 + (sign is '-' or '+' ? 1 : 0);
            switch (kind)
            {
                case '#':
                    SkipComment(open);
                    break;
                case '%' when TryRaw(open):
                    break;
                case '%':
                    Add(TokenKind.BlockBegin, "{%", open);
                    Inside("%}", TokenKind.BlockEnd);
                    break;
                default:
                    Add(TokenKind.VariableBegin, "{{", open);
                    Inside("}}", TokenKind.VariableEnd);
                    break;
            }

            lineStarting = _at > 0 && _source[_at - 1] == '\n';
        }
    }

    private int FindTag(int from)
    {
        for (var i = _source.IndexOf('{', from); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '%' or '{' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>What is left of the text before a tag.</summary>
    private static string StripBefore(string text, char sign, char kind, bool lineStarting)
    {
        if (sign == '-')
        {
            return Python.TrimEnd(text);
        }

        if (sign == '+' || kind == '{')
        {
            return text;
        }

        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || lineStarting) && text.AsSpan(lineStart).IndexOfAnyExcept(' ', '\t') is var blank && (blank < 0 || Python.TrimEnd(text[lineStart..]).Length == 0)
            ? text[..lineStart]
            : text;
    }

    private void SkipComment(int open)
    {
        var close = _source.IndexOf("#}", open + 2, StringComparison.Ordinal);
        if (close < 0)
        {
            throw Error("Missing end of comment tag", open);
        }

        // In {#-#} the sign belongs to both ends.
        var sign = close > open + 2 ? _source[close - 1] : '\0';
        _at = close + 2;
        AfterTag(sign);
    }

    private void AfterTag(char sign)
    {
        if (sign == '-')
        {
            while (_at < _source.Length && Python.IsSpace(_source[_at]))
            {
                _at++;
            }
        }
        else if (sign != '+' && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }
    }

    private bool TryRaw(int open)
    {
        if (!TryTag(_at, "raw", out var end, out var closeSign))
        {
            return false;
        }

        // Unlike other blocks, a raw block keeps the newline that follows its tag.
        _at = end;
        if (closeSign == '-')
        {
            AfterTag('-');
        }

        var start = _at;
        for (var i = _source.IndexOf("{%", _at, StringComparison.Ordinal); i >= 0; i = _source.IndexOf("{%", i + 2, StringComparison.Ordinal))
        {
            var sign = i + 2 < _source.Length ? _source[i + 2] : '\0';
            if (TryTag(i + 2 + (sign is '-' or '+' ? 1 : 0), "endraw", out end, out closeSign))
            {
                AddData(StripBefore(_source[start..i], sign, '%', lineStarting: true), start);
                _at = end;
                AfterTag(closeSign);
                return true;
            }
        }

        throw Error("Missing end of raw directive", open);
    }

    /// <summary>Whether a block of that one word stands at <paramref name="at"/>; gives where it ends and the sign before its end.</summary>
    private bool TryTag(int at, string word, out int end, out char sign)
    {
        end = at;
        sign = '\0';
        while (at < _source.Length && Python.IsSpace(_source[at]))
        {
            at++;
        }

        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0)
        {
            return false;
        }

        at += word.Length;
        while (at < _source.Length && Python.IsSpace(_source[at]))
        {
            at++;
        }

        if (at < _source.Length && _source[at] is '-' or '+')
        {
            sign = _source[at++];
        }

        end = at + 2;
        return string.CompareOrdinal(_source, at, "%}", 0, 2) == 0;
    }

    /// <summary>The tokens of one tag, up to and with its end.</summary>
    private void Inside(string close, TokenKind closeKind)
    {
        var open = new Stack<char>();
        while (_at < _source.Length)
        {
            var c = _source[_at];
            if (Python.IsSpace(c))
            {
                _at++;
                continue;
            }

            if (open.Count == 0)
            {
                var sign = c is '-' or '+' && _at + 2 < _source.Length && (c == '-' || closeKind == TokenKind.BlockEnd) ? 1 : 0;
                if (string.CompareOrdinal(_source, _at + sign, close, 0, 2) == 0)
                {
                    Add(closeKind, close, _at);
                    _at += 2 + sign;
                    if (closeKind == TokenKind.BlockEnd || sign == 1)
                    {
                        AfterTag(sign == 1 ? c : '\0');
                    }

                    return;
                }
            }

            if (char.IsAsciiDigit(c))
            {
                Number();
            }
            else if (c == '_' || char.IsLetter(c))
            {
                var start = _at;
                while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at])))
                {
                    _at++;
                }

                Add(TokenKind.Name, _source[start.._at], start);
            }
            else if (c is '\'' or '"')
            {
                Text(c);
            }
            else
            {
                Operator(open);
            }
        }
    }

    private void Operator(Stack<char> open)
    {
        var text = Operators.FirstOrDefault(o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0)
            ?? throw Error($"unexpected char {Python.Quote(_source[_at].ToString())} at {_at}", _at);
        switch (text)
        {
            case "(" or "[" or "{":
                open.Push(text[0] switch { '(' => ')', '[' => ']', _ => '}' });
                break;
            case ")" or "]" or "}":
                if (open.Count == 0)
                {
                    throw Error($"unexpected '{text}'", _at);
                }

                var expected = open.Pop();
                if (expected != text[0])
                {
                    throw Error($"unexpected '{text}', expected '{expected}'", _at);
                }

                break;
        }

        Add(TokenKind.Operator, text, _at);
        _at += text.Length;
    }

    private void AddData(string text, int start)
    {
        if (text.Length > 0)
        {
            Add(TokenKind.Data, text, start);
        }
    }

    private void Add(TokenKind kind, string text, int start)
    {
        if (_tokens.Count == MaxTokens)
        {
            throw new JinjaException(JinjaError.Limit, $"the template has more than {MaxTokens} tokens", PositionOf(start));
        }

        _tokens.Add(new Token(kind, text, PositionOf(start)));
    }

    private Position PositionOf(int at)
    {
        var line = Array.BinarySearch(_lineStarts, at);
        line = line >= 0 ? line : ~line - 1;
        return new Position(line + 1, at - _lineStarts[line] + 1);
    }

    private JinjaException Error(string message, int at) => new(JinjaError.Syntax, message, PositionOf(at));
}
