#:property PublishAot=false
// Turns a captured terminal screen (text with ANSI colours, on standard input) into a self-contained SVG:
//   dotnet run docs/pictures/svg.cs -- COLUMNS <screen.txt >picture.svg
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

const double CharWidth = 8.4, LineHeight = 18, Margin = 14;
string[] named = ["#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9", "#8a93a5", "#ff7a85", "#b5e890", "#ffd68a", "#82c7ff", "#e19bf5", "#7fd8e3", "#ffffff"];
var columns = int.Parse(args[0], CultureInfo.InvariantCulture);
var lines = Console.In.ReadToEnd().TrimEnd().Split('\n').Select(l => l.TrimEnd('\r')).ToArray();
var (width, height) = (columns * CharWidth + 2 * Margin, lines.Length * LineHeight + 2 * Margin);
var svg = new StringBuilder();
Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:0.#} {height:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\" role=\"img\">\n");
Add($"<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1f2430\" stroke=\"#5c6370\"/>\n");
Add($"<g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" fill=\"{named[7]}\" xml:space=\"preserve\">\n");
var (colour, bold) = ((string?)null, false); // a style holds until it is changed, also over the end of a line
for (var row = 0; row < lines.Length; row++)
{
    var column = 0;
    foreach (Match piece in Regex.Matches(lines[row], @"\x1b\[([0-9;]*)m|\x1b[^m]*m| {2,}|([^\x1b ]| (?! ))+", RegexOptions.ExplicitCapture | RegexOptions.None, TimeSpan.FromSeconds(1)))
    {
        if (piece.Value[0] == '\x1b')
        {
            Style(piece.Value[2..^1].Split(';').Select(code => code.Length == 0 ? 0 : int.Parse(code, CultureInfo.InvariantCulture)).ToArray());
            continue;
        }

        // Each run of words is put at its own column (several spaces shrink to one in an SVG), so that the picture does not depend on the font's width.
        var text = piece.Value.Trim(' ');
        var start = column + piece.Value.Length - piece.Value.TrimStart(' ').Length;
        column += piece.Value.Length;
        if (text.Length > 0)
        {
            var style = (colour is null ? "" : $" fill=\"{colour}\"") + (bold ? " font-weight=\"bold\"" : "");
            Add($"<text x=\"{Margin + start * CharWidth:0.#}\" y=\"{Margin + (row + 0.75) * LineHeight:0.#}\" textLength=\"{text.Length * CharWidth:0.#}\"{style}>{WebUtility.HtmlEncode(text)}</text>\n");
        }
    }
}

Console.Write(svg.Append("</g>\n</svg>\n"));

void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));

void Style(int[] codes)
{
    for (var i = 0; i < codes.Length; i++)
    {
        (colour, bold) = codes[i] switch
        {
            0 => (null, false),
            1 => (colour, true),
            22 => (colour, false),
            39 => (null, bold),
            >= 30 and <= 37 => (named[codes[i] - 30], bold),
            >= 90 and <= 97 => (named[codes[i] - 82], bold),
            38 when i + 2 < codes.Length && codes[i + 1] == 5 => (Palette(codes[i += 2]), bold),
            38 when i + 4 < codes.Length && codes[i + 1] == 2 => ($"#{codes[i + 2]:x2}{codes[i + 3]:x2}{codes[i += 4]:x2}", bold),
            _ => (colour, bold), // backgrounds and other attributes are not drawn
        };
    }
}

// The 256 colours of xterm: 16 named, a 6 x 6 x 6 cube, 24 greys. Pure blue is lightened: it is dim on a dark ground.
string Palette(int i) => i < 16 ? named[i]
    : i >= 232 ? $"#{8 + 10 * (i - 232):x2}{8 + 10 * (i - 232):x2}{8 + 10 * (i - 232):x2}"
    : $"#{Cube((i - 16) / 36):x2}{Cube((i - 16) / 6 % 6):x2}{Cube((i - 16) % 6):x2}";

int Cube(int step) => step == 0 ? 0 : 55 + 40 * step;
