using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>Each token is replaced by what a function makes of it.</summary>
/// <param name="map">The token and whether it is the first.</param>
internal sealed class MapDecoding(Func<string, bool, string> map) : DecodingStep
{
    private static readonly (string From, string To)[] Cleanups =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    private bool _first = true;

    public override void Push(string token, List<string> output)
    {
        output.Add(map(token, _first));
        _first = false;
    }

    public static string Replace(string token, Pattern pattern, string content)
    {
        var matches = new List<(int Start, int End)>();
        pattern.Matches(token, matches);
        var text = new StringBuilder();
        var done = 0;
        foreach (var (start, end) in matches)
        {
            text.Append(token, done, start - done).Append(content);
            done = end;
        }

        return matches.Count == 0 ? token : text.Append(token, done, token.Length - done).ToString();
    }

    /// <summary>Metaspace: spaces again, none at the very start.</summary>
    public static string Metaspace(string token, string replacement, bool dropped) => token.Replace(replacement, dropped ? "" : " ", StringComparison.Ordinal);

    /// <summary>WordPiece: what does not go on a word begins one.</summary>
    public static string WordPiece(string token, string prefix, bool first, bool cleanup)
    {
        var text = first ? token : token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        return cleanup ? CleanUp(text) : text;
    }

    public static string CleanUp(string text)
    {
        foreach (var (from, to) in Cleanups)
        {
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>Takes up to so many of a character off the two ends.</summary>
    public static string Strip(string token, string content, int start, int stop)
    {
        var (from, to) = (0, token.Length);
        for (; start > 0 && string.CompareOrdinal(token, from, content, 0, content.Length) == 0; start--)
        {
            from += content.Length;
        }

        for (; stop > 0 && to - content.Length >= from && string.CompareOrdinal(token, to - content.Length, content, 0, content.Length) == 0; stop--)
        {
            to -= content.Length;
        }

        return token[from..to];
    }
}

/// <summary>Takes up to so many of a character off the start of the whole text.</summary>
internal sealed class StripStartDecoding(string content, int start) : DecodingStep
{
    private int _left = start;

    public override void Push(string token, List<string> output)
    {
        var text = MapDecoding.Strip(token, content, _left, 0);
        _left = text.Length > 0 ? 0 : _left - (token.Length / content.Length);
        output.Add(text);
    }
}

/// <summary>The suffix that ends a word becomes a space, but for the last token.</summary>
internal sealed class WordEndDecoding(string suffix) : DecodingStep
{
    private string? _held;

    public override void Push(string token, List<string> output)
    {
        Give(" ", output);
        _held = token;
    }

    public override void Flush(List<string> output) => Give("", output);

    private void Give(string end, List<string> output)
    {
        if (_held is not null)
        {
            output.Add(suffix.Length == 0 ? _held : _held.Replace(suffix, end, StringComparison.Ordinal));
        }
    }
}

/// <summary>Connectionist temporal classification: of equal neighbours one is kept, the padding falls away.</summary>
internal sealed class RepeatsDecoding(string padding, string delimiter, bool cleanup) : DecodingStep
{
    private string? _last;

    public override void Push(string token, List<string> output)
    {
        if (token == _last)
        {
            return;
        }

        _last = token;
        var text = padding.Length == 0 ? token : token.Replace(padding, "", StringComparison.Ordinal);
        if (cleanup)
        {
            text = MapDecoding.CleanUp(text);
            text = delimiter.Length == 0 ? text : text.Replace(delimiter, " ", StringComparison.Ordinal);
        }

        if (text.Length > 0)
        {
            output.Add(text);
        }
    }
}

/// <summary>A tokenizer without a decoder: tokens with spaces between them.</summary>
internal sealed class SpacedDecoding : DecodingStep
{
    private bool _any;

    public override void Push(string token, List<string> output)
    {
        output.Add(_any ? " " + token : token);
        _any = true;
    }
}
