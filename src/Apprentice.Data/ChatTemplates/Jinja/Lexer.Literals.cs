using System.Globalization;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

// Numbers and strings.
internal sealed partial class Lexer
{
    private void Number()
    {
        var start = _at;
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'o' or 'b')
        {
            _at += 2;
            while (_at < _source.Length && (char.IsAsciiHexDigit(_source[_at]) || _source[_at] == '_'))
            {
                _at++;
            }

            Add(TokenKind.Integer, _source[start.._at].Replace("_", "", StringComparison.Ordinal), start);
            return;
        }

        Digits();
        var kind = TokenKind.Integer;
        if (DigitAt(_at + 1) && _source[_at] == '.' && !(start > 0 && _source[start - 1] == '.'))
        {
            kind = TokenKind.Float;
            _at++;
            Digits();
        }

        if (_at < _source.Length && _source[_at] is 'e' or 'E')
        {
            var sign = _at + 1 < _source.Length && _source[_at + 1] is '+' or '-' ? 1 : 0;
            if (DigitAt(_at + 1 + sign))
            {
                kind = TokenKind.Float;
                _at += 1 + sign;
                Digits();
            }
        }

        Add(kind, _source[start.._at].Replace("_", "", StringComparison.Ordinal), start);
    }

    private void Digits()
    {
        while (DigitAt(_at) || (_at < _source.Length && _source[_at] == '_' && DigitAt(_at + 1)))
        {
            _at++;
        }
    }

    private bool DigitAt(int at) => at < _source.Length && char.IsAsciiDigit(_source[at]);

    private void Text(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        while (true)
        {
            if (_at >= _source.Length)
            {
                throw Error($"unexpected char {Python.Quote(quote.ToString())} at {start}", start);
            }

            var c = _source[_at++];
            if (c == quote)
            {
                break;
            }

            if (c == '\\' && _at < _source.Length)
            {
                Escape(text);
            }
            else
            {
                text.Append(c);
            }
        }

        Add(TokenKind.String, text.ToString(), start);
    }

    /// <summary>The escapes of Python strings; an unknown one stands for itself.</summary>
    private void Escape(StringBuilder text)
    {
        var c = _source[_at++];
        var hexDigits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (hexDigits > 0)
        {
            if (_at + hexDigits > _source.Length
                || !int.TryParse(_source.AsSpan(_at, hexDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                || code is < 0 or > 0x10FFFF)
            {
                throw Error($"a \\{c} escape needs {hexDigits} hexadecimal digits of a character", _at);
            }

            _at += hexDigits;
            text.Append(code > 0xFFFF ? char.ConvertFromUtf32(code) : ((char)code).ToString());
            return;
        }

        if (c is >= '0' and <= '7')
        {
            var code = c - '0';
            for (var i = 0; i < 2 && _at < _source.Length && _source[_at] is >= '0' and <= '7'; i++)
            {
                code = (code * 8) + _source[_at++] - '0';
            }

            text.Append((char)code);
            return;
        }

        text.Append(c switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'a' => "\a",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            '\n' => "",
            '\\' or '\'' or '"' => c.ToString(),
            _ => "\\" + c,
        });
    }
}
