using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// NFC, NFD, NFKC and NFKD (Unicode Standard Annex 15) with alignment. Text that is normal already, which is nearly
/// all text, passes untouched. Otherwise each run of a base character and its marks is normalized by .NET, and which
/// input characters went into which output character is found by decomposing both.
/// </summary>
internal sealed class UnicodeNormalizer : Normalizer
{
    /// <summary>A noncharacter that .NET refuses to normalize; it combines with nothing.</summary>
    private const char Refused = '\uFFFE';

    private readonly NormalizationForm _form;
    private readonly NormalizationForm _decomposition;

    public UnicodeNormalizer(NormalizationForm form)
    {
        // A process with invariant globalization answers the text unchanged, which would give other ids without a word.
        if ("e\u0301".Normalize(NormalizationForm.FormC).Length != 1)
        {
            throw new InputException("unicode_normalization_missing", "This tokenizer needs Unicode normalization, which this process runs without; install ICU or turn DOTNET_SYSTEM_GLOBALIZATION_INVARIANT off.");
        }

        _form = form;
        _decomposition = form is NormalizationForm.FormC or NormalizationForm.FormD ? NormalizationForm.FormD : NormalizationForm.FormKD;
    }

    public NormalizationForm Form => _form;

    public override Piece Apply(Piece input)
    {
        var text = input.Span;
        if (IsNormal(text))
        {
            return input;
        }

        var rewriter = new Rewriter(input);
        var known = new Dictionary<string, (Rune Output, int Consumed)[]>(); // the same few runs come again and again
        var knownRuns = known.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var start = 0; start < text.Length;)
        {
            var end = start + Utf16.Length(text, start);
            while (text[start] != Refused && end < text.Length && Continues(Utf16.CodePoint(text, end, out var length)))
            {
                end += length;
            }

            var run = text[start..end];
            if (run[0] == Refused || IsNormal(run))
            {
                rewriter.CopyTo(end);
            }
            else
            {
                if (!knownRuns.TryGetValue(run, out var outputs))
                {
                    knownRuns[run] = outputs = [.. Outputs(run.ToString())];
                }

                Rewrite(outputs, rewriter);
            }

            start = end;
        }

        return rewriter.Finish();
    }

    private bool IsNormal(ReadOnlySpan<char> text) => Ascii.IsValid(text) || (!text.Contains(Refused) && text.IsNormalized(_form));

    /// <summary>Whether a character can combine with the one before it: marks, and Hangul vowels and finals.</summary>
    private static bool Continues(int codePoint) =>
        codePoint is >= 0x1160 and <= 0x11FF
        || (codePoint >= 0x300 && CharUnicodeInfo.GetUnicodeCategory(codePoint) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark);

    private static void Rewrite((Rune Output, int Consumed)[] outputs, Rewriter rewriter)
    {
        foreach (var (output, consumed) in outputs)
        {
            if (consumed == 0)
            {
                rewriter.Insert(output);
            }
            else
            {
                rewriter.Replace(output);
                rewriter.Remove(consumed - 1);
            }
        }
    }

    /// <summary>The characters that a run becomes, and how many input characters each stands for.</summary>
    private IEnumerable<(Rune Output, int Consumed)> Outputs(string run)
    {
        // Parts of the input in decomposed order: the first part of each input character stands for it (0), more were added (1).
        var parts = new Queues();
        foreach (var rune in run.EnumerateRunes())
        {
            var added = 0;
            foreach (var part in rune.ToString().Normalize(_decomposition).EnumerateRunes())
            {
                parts.Add(part, added);
                added = 1;
            }
        }

        foreach (var output in run.Normalize(_form).EnumerateRunes())
        {
            // An output composed of m parts stands for as many input characters as there are zeros among its parts.
            var consumed = 0;
            foreach (var part in output.ToString().Normalize(_decomposition).EnumerateRunes())
            {
                consumed += 1 - parts.Take(part);
            }

            yield return (output, consumed);
        }
    }

    /// <summary>For each character the parts equal to it, first in first out: canonical reordering is stable.</summary>
    private sealed class Queues
    {
        private readonly Dictionary<Rune, Queue<int>> _queues = [];

        public void Add(Rune part, int added)
        {
            if (!_queues.TryGetValue(part, out var queue))
            {
                _queues[part] = queue = new Queue<int>();
            }

            queue.Enqueue(added);
        }

        public int Take(Rune part) => _queues.TryGetValue(part, out var queue) && queue.TryDequeue(out var added) ? added : 1;
    }
}
