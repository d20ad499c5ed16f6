using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Apprentice.Cli.Commands;

/// <summary>One token of a text.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Token">As the vocabulary writes it.</param>
/// <param name="Start">First character of the text it stands for, in code points.</param>
/// <param name="End">The character after the last.</param>
/// <param name="Supervised">Whether training learns to write it.</param>
/// <param name="Piece">The characters it stands for, or the vocabulary's spelling where it stands for none.</param>
internal sealed record TokenRow(int Id, string Token, int Start, int End, bool Supervised, string Piece);

/// <summary>Tokens for people: the text in coloured pieces, the supervised ones underlined, then a line per token.</summary>
internal static class TokenTable
{
    private static readonly Color[] Colours = [Color.DodgerBlue1, Color.MediumPurple1, Color.DarkCyan];
    private static readonly Color Learned = Color.Orange1;

    public static void Write(IAnsiConsole console, IReadOnlyList<TokenRow> tokens)
    {
        var supervised = tokens.Count(t => t.Supervised);
        console.Write(new Pieces(tokens));
        console.WriteLine();
        foreach (var (token, i) in tokens.Select((t, i) => (t, i)))
        {
            console.Write(new Text(Format.Text($"{i,6} {token.Id,8}  {token.Start,6}-{token.End,-6} ")));
            console.Write(new Text(token.Supervised ? "learned  " : "         ", new Style(Learned)));
            console.Write(new Text(Visible(token.Piece), StyleOf(token, i)));
            console.WriteLine();
        }

        console.WriteLine(Format.Text($"{tokens.Count} tokens, {supervised} of them learned in training"));
    }

    private static Style StyleOf(TokenRow token, int i) =>
        token.Supervised ? new Style(Learned, decoration: i % 2 == 0 ? Decoration.Underline : Decoration.Underline | Decoration.Bold)
        : new Style(Colours[i % Colours.Length]);

    /// <summary>Control characters, which a terminal would obey, as escapes.</summary>
    private static string Visible(string piece)
    {
        var text = new StringBuilder(piece.Length);
        foreach (var c in piece)
        {
            text.Append(c switch
            {
                '\n' => "\\n",
                '\t' => "\\t",
                '\r' => "\\r",
                _ => char.IsControl(c) ? Format.Text($"\\u{(int)c:x4}") : c.ToString(),
            });
        }

        return text.ToString();
    }

    // The text itself. Lines break where it breaks them and where the console ends.
    private sealed class Pieces(IReadOnlyList<TokenRow> tokens) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            var end = 0;
            for (var i = 0; i < tokens.Count; i++)
            {
                // Tokens that share a character show it once.
                if (tokens[i].End <= end && tokens[i].End > 0)
                {
                    continue;
                }

                end = Math.Max(end, tokens[i].End);
                var lines = tokens[i].Piece.ReplaceLineEndings("\n").Split('\n');
                for (var l = 0; l < lines.Length; l++)
                {
                    if (l > 0)
                    {
                        yield return Segment.LineBreak;
                    }

                    yield return new Segment(Visible(lines[l]), StyleOf(tokens[i], i));
                }
            }

            yield return Segment.LineBreak;
        }
    }
}
