using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// A step from tokens to text, with the state of one text: it is given tokens one by one and gives on what it can say
/// already. What it says does not depend on how far it has been asked, so a stream and a whole text are one thing.
/// </summary>
internal abstract class DecodingStep
{
    public abstract void Push(string token, List<string> output);

    /// <summary>The text has ended: gives on what was held back.</summary>
    public virtual void Flush(List<string> output)
    {
    }
}

/// <summary>The steps of a tokenizer, made anew for each text.</summary>
internal sealed class DecodingRun
{
    private readonly DecodingStep[] _steps;

    public DecodingRun(IEnumerable<Func<DecodingStep>> steps) => _steps = [.. steps.Select(s => s())];

    public string Push(string token) => From(0, [token]);

    public string Flush()
    {
        var text = new StringBuilder();
        for (var i = 0; i < _steps.Length; i++)
        {
            var held = new List<string>();
            _steps[i].Flush(held);
            text.Append(From(i + 1, held));
        }

        return text.ToString();
    }

    private string From(int step, List<string> tokens)
    {
        for (; step < _steps.Length && tokens.Count > 0; step++)
        {
            var next = new List<string>();
            foreach (var token in tokens)
            {
                _steps[step].Push(token, next);
            }

            tokens = next;
        }

        return tokens.Count == 1 ? tokens[0] : string.Concat(tokens);
    }
}

/// <summary>The tokens are bytes in <see cref="ByteAlphabet"/>; a character appears with its last byte, what is no UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelDecoding : DecodingStep
{
    private readonly Decoder _decoder = System.Text.Encoding.UTF8.GetDecoder();

    public override void Push(string token, List<string> output) => Decode(ByteAlphabet.Read(token), flush: false, output);

    public override void Flush(List<string> output) => Decode([], flush: true, output);

    private void Decode(ReadOnlySpan<byte> bytes, bool flush, List<string> output)
    {
        var chars = new char[_decoder.GetCharCount(bytes, flush)];
        var count = _decoder.GetChars(bytes, chars, flush);
        if (count > 0)
        {
            output.Add(new string(chars, 0, count));
        }
    }
}

/// <summary>
/// Tokens such as <c>&lt;0x0A&gt;</c> are bytes. A run of them is text when it is UTF-8 as a whole, else each byte is U+FFFD,
/// so a run is held back until it has ended.
/// </summary>
internal sealed class ByteFallbackDecoding : DecodingStep
{
    private readonly List<byte> _bytes = [];

    public override void Push(string token, List<string> output)
    {
        if (ByteTokens.Value(token) is >= 0 and var value)
        {
            _bytes.Add((byte)value);
            return;
        }

        Flush(output);
        output.Add(token);
    }

    public override void Flush(List<string> output)
    {
        if (_bytes.Count == 0)
        {
            return;
        }

        byte[] bytes = [.. _bytes];
        _bytes.Clear();
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            output.Add(System.Text.Encoding.UTF8.GetString(bytes));
        }
        else
        {
            output.AddRange(Enumerable.Repeat("\uFFFD", bytes.Length));
        }
    }
}

/// <summary>All tokens become one, at the end of the text.</summary>
internal sealed class FuseDecoding : DecodingStep
{
    private readonly StringBuilder _text = new();
    private bool _any;

    public override void Push(string token, List<string> output)
    {
        _text.Append(token);
        _any = true;
    }

    public override void Flush(List<string> output)
    {
        if (_any)
        {
            output.Add(_text.ToString());
        }
    }
}
