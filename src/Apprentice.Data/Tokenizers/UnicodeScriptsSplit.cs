namespace Apprentice.Data.Tokenizers;

/// <summary>Cuts where the script changes. Characters without a script go with what is before them; at the very start they are dropped, as in the reference.</summary>
internal sealed class UnicodeScriptsSplit : PreTokenizer
{
    public override void Split(Piece piece, PieceOutput output)
    {
        var text = piece.Span;
        var (start, last) = (-1, UnicodeScripts.None);
        for (var at = 0; at < text.Length;)
        {
            var script = UnicodeScripts.Of(Utf16.CodePoint(text, at, out var length));
            if (script != UnicodeScripts.None && script != last)
            {
                if (start >= 0)
                {
                    output.Add(piece.Slice(start, at));
                }

                (start, last) = (at, script);
            }

            at += length;
        }

        if (start >= 0)
        {
            output.Add(piece.Slice(start, text.Length));
        }
    }
}
