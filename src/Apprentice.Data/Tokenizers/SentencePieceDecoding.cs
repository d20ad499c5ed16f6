using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Decodes as SentencePiece does: ▁ is a space, but the one before the text falls away; the unknown token has a text of
/// its own; tokens of bytes become characters, and U+FFFD for each byte that belongs to none, when their run has ended.
/// </summary>
internal sealed class SentencePieceDecoding(SentencePieceModel model, string unknown) : DecodingStep
{
    private readonly List<byte> _bytes = [];
    private bool _anyText;
    private bool _prefixSeen;

    public override void Push(string token, List<string> output)
    {
        if (model.ByteFallback && ByteTokens.Value(token) is >= 0 and var value)
        {
            _bytes.Add((byte)value);
            return;
        }

        Flush(output);
        if (token == unknown)
        {
            Give(model.UnknownSurface, output);
            return;
        }

        if (!_anyText && !_prefixSeen && (model.AddDummyPrefix || model.RemoveExtraSpaces) && token.StartsWith(ScoredPiece.Space, StringComparison.Ordinal))
        {
            token = token[ScoredPiece.Space.Length..];
            _prefixSeen = !model.RemoveExtraSpaces; // else all spaces at the start fall away
        }

        Give(token.Replace(ScoredPiece.Space, " ", StringComparison.Ordinal), output);
    }

    public override void Flush(List<string> output)
    {
        var text = new StringBuilder();
        ReadOnlySpan<byte> rest = _bytes.ToArray();
        _bytes.Clear();
        while (rest.Length > 0)
        {
            var sound = Rune.DecodeFromUtf8(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
            text.Append(rune.ToString());
            rest = rest[(sound ? length : 1)..];
        }

        Give(text.ToString(), output);
    }

    private void Give(string text, List<string> output)
    {
        if (text.Length > 0)
        {
            output.Add(text);
            _anyText = true;
        }
    }
}
