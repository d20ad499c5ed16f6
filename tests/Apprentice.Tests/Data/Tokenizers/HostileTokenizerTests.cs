using System.Text;
using Apprentice.Data;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Tests.Data.Tokenizers;

/// <summary>Broken tokenizer files end in a tokenizer that works or in a clear error, soon and without much memory.</summary>
[Trait("Category", "Hostile")]
public sealed class HostileTokenizerTests
{
    private const int Files = 10_000;
    private const long MostBytes = 64 << 20;

    private static readonly string[] Values =
    [
        "null", "true", "-1", "1e999", "2097151", "2147483648", "\"\"", "\"\\ud800\"", "[]", "{}", "[[]]", "{\"type\":\"Nobody\"}", "\"a a\"", "[\"a\",\"a\",\"a\"]",
        "{\"Regex\":\"(a*)*\"}", "{\"Regex\":\"(a+a+)+b\"}", "{\"String\":\"\"}", "{\"type\":\"Sequence\",\"pretokenizers\":[]}",
    ];

    private static readonly string[] Sources =
    [
        TinyTokenizer.Json(),
        TinyTokenizer.Json(TinyTokenizer.Split(SplitPatterns.Gpt4o), """{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}]}"""),
        TinyTokenizer.ByteFallback(),
        TinyTokenizer.Unigram(),
        TinyTokenizer.WordPiece(),
        TinyTokenizer.Json("""{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"ByteLevel","add_prefix_space":true}]}""", """{"type":"Prepend","prepend":"x"}"""),
    ];

    private static readonly (string Text, float Score, PieceKind Kind)[] Pieces =
        [("▁", -9, PieceKind.Normal), ("a", -8, PieceKind.Normal), ("th", -3, PieceKind.Normal), ("the", -2, PieceKind.Unused), ("▁the", -1, PieceKind.Normal), ("12", 0, PieceKind.UserDefined)];

    private static readonly byte[][] Models =
    [
        TinySentencePiece.Model(TinySentencePiece.BytePair, Pieces),
        TinySentencePiece.Model(TinySentencePiece.Unigram, Pieces, byteFallback: false, charsMap: true, removeExtraSpaces: true),
        TinySentencePiece.Model(TinySentencePiece.Unigram, Pieces, charsMap: true),
    ];

    [Fact]
    public void TenThousandMutatedFilesEndInSuccessOrAClearError() => Try(random =>
    {
        var source = Sources[random.Next(Sources.Length)];
        var json = random.Next(2) == 0 ? MutateBytes(System.Text.Encoding.UTF8.GetBytes(source), random) : System.Text.Encoding.UTF8.GetBytes(MutateValue(source, random));
        return (json, () => Use(Tokenizer.FromJson(json, "mutated")));
    });

    [Fact]
    public void TenThousandMutatedModelFilesEndInSuccessOrAClearError() => Try(random =>
    {
        var model = MutateBytes(Models[random.Next(Models.Length)], random);
        return (model, () => Use(Tokenizer.FromSentencePiece(model, "mutated")));
    });

    private static void Use(Tokenizer tokenizer)
    {
        tokenizer.Decode(tokenizer.Encode("aaab the the 12 <|end|> é漢😀\n").Ids);
        try
        {
            _ = tokenizer.VocabularySize < 10_000 ? tokenizer.ToGguf() : null; // that has a text for each id
        }
        catch (InputException e) when (e.Code == "not_exportable")
        {
            // Most of them no GGUF can say.
        }
    }

    private static void Try(Func<Random, (byte[] File, Action Use)> mutate)
    {
        var random = new Random(3);
        var (good, refused) = (0, 0);
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < Files; i++)
        {
            var (file, use) = mutate(random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var watch = ThreadClock.StartNew();
            try
            {
                use();
                good++;
            }
            catch (InputException e)
            {
                Assert.False(string.IsNullOrWhiteSpace(e.Message));
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"file {i}: {e}\n{System.Text.Encoding.UTF8.GetString(file)}");
            }

            slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBytes);
        }

        Assert.True(slowest.TotalSeconds < 1, $"the slowest took {slowest}");
        Assert.True(good > Files / 100 && refused > Files / 10, $"{good} good, {refused} refused");
    }

    private static byte[] MutateBytes(byte[] json, Random random)
    {
        for (var n = random.Next(1, 5); n > 0 && json.Length > 1; n--)
        {
            var at = random.Next(json.Length);
            var length = Math.Min(random.Next(1, 40), json.Length - at);
            json = random.Next(5) switch
            {
                0 => [.. json[..at], (byte)random.Next(256), .. json[(at + 1)..]],
                1 => [.. json[..at], .. json[(at + length)..]],
                2 => [.. json[..(at + length)], .. json[at..]],
                3 => [.. json[..at], .. System.Text.Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)]), .. json[at..]],
                _ => json[..Math.Max(at, 1)],
            };
        }

        return json;
    }

    /// <summary>Puts another value in the place of one, so that the JSON stays whole.</summary>
    private static string MutateValue(string json, Random random)
    {
        var text = new StringBuilder(json);
        for (var n = random.Next(1, 3); n > 0; n--)
        {
            var colon = text.ToString().IndexOf("\":", random.Next(2) == 0 ? 0 : random.Next(text.Length), StringComparison.Ordinal);
            if (colon < 0)
            {
                continue;
            }

            var start = colon + 2;
            var (end, depth, quoted) = (start, 0, false);
            for (; end < text.Length; end++)
            {
                var c = text[end];
                quoted ^= c == '"' && text[end - 1] != '\\';
                depth += quoted ? 0 : c is '[' or '{' ? 1 : c is ']' or '}' ? -1 : 0;
                if (!quoted && ((depth == 0 && c == ',') || depth < 0))
                {
                    break;
                }
            }

            text.Remove(start, end - start).Insert(start, Values[random.Next(Values.Length)]);
        }

        return text.ToString();
    }
}
