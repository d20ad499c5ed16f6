using System.Text;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Encoding = Apprentice.Data.Tokenizers.Encoding;

namespace Apprentice.Tests.Data.Batching;

/// <summary>With stand-ins: one token a character (white space joins the next one), BOS 1 and EOS 2, and a template that writes "[role]content/".</summary>
public class ExampleEncoderTests
{
    private const int Bos = 1;
    private const int Eos = 2;

    private static Encoding Characters(string text, bool addSpecialTokens)
    {
        var (ids, offsets) = (new List<int>(), new List<(int, int)>());
        for (var i = 0; i < text.Length; i++)
        {
            var start = i;
            i = text[i] == ' ' && i + 1 < text.Length ? i + 1 : i;
            ids.Add(text[i]);
            offsets.Add((start, i + 1));
        }

        return addSpecialTokens ? new([Bos, .. ids, Eos], [(0, 0), .. offsets, (0, 0)]) : new([.. ids], [.. offsets]);
    }

    private static Encoding WithoutBos(string text, bool addSpecialTokens) => Characters(text, false);

    private static RenderedChat Template(Example example)
    {
        var (text, learned) = (new StringBuilder("<"), new List<AssistantSpan>());
        for (var i = 0; i < example.Messages.Count; i++)
        {
            text.Append('[').Append(example.Messages[i]["role"]!.ToString()[0]).Append("] ");
            var start = text.Length;
            text.Append(example.Messages[i]["content"]).Append('/');
            if ((string?)example.Messages[i]["role"] == "assistant")
            {
                learned.Add(new AssistantSpan(start, text.Length, i));
            }
        }

        return new RenderedChat(text.ToString(), learned);
    }

    private static IReadOnlyList<Example> Read(params string[] lines) =>
        DatasetReader.Read("d.jsonl", System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines))).Examples;

    private static string Learned(TokenizedExample example) =>
        string.Concat(example.Ids.Zip(example.Weights, (id, weight) => weight == 0 ? "." : id == Eos ? "$" : ((char)id).ToString()));

    [Fact]
    public void Chat_LearnsTheAssistantAndItsEnd_ButNotWeightZero()
    {
        var encoder = new ExampleEncoder(Characters, Template, Eos);
        var example = Read("""{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"no","weight":0},{"role":"user","content":"q"},{"role":"assistant","content":"yes"}]}""")[0];
        var tokens = encoder.Encode(example);
        Assert.Equal("<[u]hi/[a]no/[u]q/[a]yes/", string.Concat(tokens.Ids.Select(id => (char)id))); // neither BOS nor EOS of the tokenizer
        Assert.Equal(".....................yes/", Learned(tokens)); // 'y' is joined to the space before it
        Assert.Equal(("d.jsonl", 1L, 4), (tokens.File, tokens.Line, tokens.Supervised));
    }

    /// <summary>As with Llama 3's tokenizer, whose spans leave white space out.</summary>
    [Fact]
    public void WhiteSpaceWhoseSpanIsTrimmed_BelongsToWhatItStandsIn()
    {
        const string Text = "u\nyes\n\n/\nv\n";
        Encoding Trimmed(string text, bool addSpecialTokens) =>
            new([.. text.Select(c => (int)c)], [.. text.Select((c, i) => c == '\n' ? (i + 1, i + 1) : (i, i + 1))]);
        var encoder = new ExampleEncoder(Trimmed, _ => new RenderedChat(Text, [new(2, 9, 1)]), Eos);
        var tokens = encoder.Encode(Read("""{"prompt":"p","completion":"c"}""")[0]);
        Assert.Equal("..yes\n\n/\n..", Learned(tokens));
    }

    [Fact]
    public void Raw_ReadsThePromptAndLearnsCompletionAndEnd()
    {
        var encoder = new ExampleEncoder(Characters, null, Eos);
        var examples = Read("""{"prompt":"ab","completion":"cd"}""", """{"prompt":"","completion":"cd"}""");
        Assert.Equal([Bos, 'a', 'b', 'c', 'd', Eos], encoder.Encode(examples[0]).Ids);
        Assert.Equal("...cd$", Learned(encoder.Encode(examples[0])));
        Assert.Equal(".cd$", Learned(encoder.Encode(examples[1])));
        Assert.Equal("..cd$", Learned(new ExampleEncoder(WithoutBos, null, Eos).Encode(examples[0])));
    }

    [Fact]
    public void Raw_NeedsPromptCompletionOrText() =>
        Assert.Equal("raw_needs_prompt_completion", Assert.Throws<InputException>(() => new ExampleEncoder(Characters, null, Eos).Encode(Read("""{"instruction":"i","output":"o"}""")[0])).Code);

    [Fact]
    public void PlainText_LearnsEverythingButTheFirst()
    {
        var example = Read("""{"text":"abc"}""")[0];
        Assert.Equal(".abc$", Learned(new ExampleEncoder(Characters, Template, Eos).Encode(example)));
        Assert.Equal(".bc$", Learned(new ExampleEncoder(WithoutBos, Template, Eos).Encode(example)));
    }

    [Fact]
    public void LongExamples_StopTheRunUnlessToldOtherwise()
    {
        var encoder = new ExampleEncoder(Characters, null, Eos);
        var examples = Read("""{"prompt":"ab","completion":"cd"}""", """{"prompt":"abcd","completion":"efgh"}""", """{"prompt":"a","completion":"bcdefghi"}""");
        var error = Assert.Throws<InputException>(() => encoder.EncodeAll(examples, 7));
        Assert.Equal(("too_long", "2 of 3 examples have more than 7 tokens; the longest has 11 (lines 2, 3)"), (error.Code, error.Message));

        var dropped = encoder.EncodeAll(examples, 7, LongExamples.Drop);
        Assert.Equal((1, 11, 0, 2), (dropped.Examples.Count, dropped.Longest, dropped.Truncated, dropped.Dropped));

        var cut = encoder.EncodeAll(examples, 7, LongExamples.Truncate);
        Assert.Equal((3, 2, 0), (cut.Examples.Count, cut.Truncated, cut.Dropped));
        Assert.Equal(".....ef", Learned(cut.Examples[1]));

        Assert.Equal(0, encoder.EncodeAll(examples, 11).Truncated);
        Assert.Equal("no_examples", Assert.Throws<InputException>(() => encoder.EncodeAll(examples, 3, LongExamples.Drop)).Code);
        Assert.Equal("nothing_supervised", Assert.Throws<InputException>(() => encoder.EncodeAll(examples, 3, LongExamples.Truncate)).Code);
    }

    [Fact]
    public void ATemplateThatMarksNothing_IsAnErrorWithTheLine()
    {
        var encoder = new ExampleEncoder(Characters, _ => new RenderedChat("text", []), Eos);
        var error = Assert.Throws<InputException>(() => encoder.EncodeAll(Read("", """{"prompt":"a","completion":"b"}"""), 100));
        Assert.Equal(("nothing_supervised", 2L), (error.Code, error.Line ?? 0));
    }

    [Fact]
    public void ATemplateThatRefusesAnExample_NamesTheLineOfTheData()
    {
        Render refuses = _ => throw new InputException("template_raised", "roles must alternate", "template.jinja", 7);
        var error = Assert.Throws<InputException>(() => new ExampleEncoder(Characters, refuses, Eos).Encode(Read("", """{"prompt":"a","completion":"b"}""")[0]));
        Assert.Equal(("template_raised", "d.jsonl", 2L), (error.Code, error.File, error.Line ?? 0));
        Assert.Contains("roles must alternate", error.Message, StringComparison.Ordinal);
    }
}
