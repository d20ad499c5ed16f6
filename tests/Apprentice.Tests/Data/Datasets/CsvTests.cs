using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Xunit.Abstractions;

namespace Apprentice.Tests.Data.Datasets;

public class CsvTests(ITestOutputHelper output)
{
    /// <summary>Delimiter, line ends, byte order mark, quotes: what spreadsheets and exports differ in.</summary>
    [Theory]
    [InlineData("prompt,completion\na,b\nc,d\n", "a|b c|d", "commas")]
    [InlineData("\uFEFFprompt;completion\r\na, b;c\r\nd;e", "a, b|c d|e", "semicolons")]
    [InlineData("prompt\tcompletion\ra\tb\rc\td\r", "a|b c|d", "tabs")]
    [InlineData("id|prompt|completion\n1|a|b\n", "a|b", "bars")]
    [InlineData("\"prompt\",\"completion\"\n\"a;\"\"b\"\"\",\"c\nd\"\n", "a;\"b\"|c\nd", "commas")]
    [InlineData(",prompt,completion,note\n0,a,b,\n,,,\n1,c,d,x\n", "a|b c|d", "commas")]
    [InlineData("completion,prompt\nb,\"a, \"\"5\"\"\"\"\"\n", "a, \"5\"\"|b", "commas")]
    [InlineData("prompt,completion\n5\" pipe,3' rope\n", "5\" pipe|3' rope", "commas")]
    [InlineData(" prompt , completion \n a , b \n", " a | b ", "commas")]
    public void Tables(string text, string expected, string delimiter)
    {
        var dataset = Read(text);
        Assert.Equal(DatasetFormat.PromptCompletion, dataset.Format);
        Assert.Equal(expected, string.Join(' ', dataset.Examples.Select(e => $"{e.Raw!.Value.Prompt}|{e.Raw.Value.Completion}")));
        Assert.Contains($"prompt/completion in a CSV table with {delimiter} between its columns (", dataset.Description, StringComparison.Ordinal);
        Assert.Equal(expected, string.Join(' ', Read(text, "t.jsonl").Examples.Select(e => $"{e.Raw!.Value.Prompt}|{e.Raw.Value.Completion}")));
    }

    [Fact]
    public void Other_formats_and_names()
    {
        Assert.Equal("one\ntwo", Read("text\n\"one\ntwo\"\n").Examples.Single().Text);
        Assert.Equal("i\nx", (string?)Read("instruction,input,output\ni,x,o\n").Examples.Single().Messages[0]["content"]);
        Assert.Equal(("q", "a"), Read("Question,Answer,n\nq,a,1\n", columns: new() { ["prompt"] = "Question", ["completion"] = "Answer" }).Examples.Single().Raw);
        var preference = Assert.Single(DatasetReader.ReadPreferences("t.csv", Encoding.UTF8.GetBytes("prompt,chosen,rejected\np,c,r\n")).Preferences);
        Assert.Equal(("p", "c"), preference.Chosen.Raw);
    }

    [Fact]
    public void Rows_know_their_length_in_bytes() => Assert.Equal(
        [7L, 13L, 4L], RecordReader.Open("t.csv", "prompt,completion\nä,\"b\"\n\"c\nd\",\"e\n\nf\"\ng,h\n"u8.ToArray(), out _).Select(row => row.Length));

    [Fact]
    public void Lines_are_those_of_the_file() => Assert.Equal(
        [2, 4, 8], Read("prompt,completion\n\"a\",\"b\"\n\n\"c\nd\",\"e\n\nf\"\ng,h\n").Examples.Select(e => e.Line));

    [Theory]
    [InlineData("question;answer\na;b\n", "unknown_format", 0, "semicolons between its columns (question, answer)", "--columns prompt=question,completion=answer")]
    [InlineData("No,Prompt,The answer\n1,a,b\n", "unknown_format", 0, "(No, Prompt, The answer)", "--columns prompt=Prompt,completion=Prompt")]
    [InlineData("hello\nworld\n", "unknown_format", 0, "a CSV table (hello)", "the first row names the columns")]
    [InlineData("prompt,completion\n", "no_examples", 0, "no row below its header", "--columns prompt=prompt,completion=completion")]
    [InlineData("prompt,completion\n\na,b\nc\n", "bad_csv", 4, "1 cell, and the header has 2 columns", "between quotes")]
    [InlineData("prompt,completion\na,b,c\n", "bad_csv", 2, "3 cells", "between quotes")]
    [InlineData("prompt,completion\na,\"b\nc,d\n", "bad_csv", 2, "begins with a quote and does not end", "between quotes")]
    [InlineData("prompt,completion\na,\"b\nc,d", "bad_csv", 2, "begins with a quote and does not end", "between quotes")]
    [InlineData("prompt,completion\na,b\n\nc,\"d\"e\nf,g\n", "bad_csv", 4, "begins with a quote and does not end", "between quotes")]
    [InlineData("prompt,completion\na,b\nc, \n", "empty_completion", 3, "field 'completion' is empty", null)]
    [InlineData("prompt,prompt,completion\na,b,c\n", "duplicate_key", 1, "two columns are called 'prompt'", "a name of its own")]
    [InlineData("prompt,chosen,rejected\na,b,c\n", "preference_data", 2, "preference data (chosen and rejected)", "--format preference")]
    public void Mistakes(string text, string code, long line, string message, string? hint)
    {
        var error = Assert.Throws<InputException>(() => Read(text));
        Assert.Equal((code, "t.csv", line), (error.Code, error.File, error.Line ?? 0));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(hint ?? "", error.Hint ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Text_must_be_UTF8()
    {
        byte[] latin1 = [.. "prompt,completion\na,b\ncaf"u8, 0xE9, .. ",c\n"u8];
        var error = Assert.Throws<InputException>(() => DatasetReader.Read("t.csv", latin1));
        Assert.Equal(("invalid_utf8", 3L), (error.Code, error.Line));
        Assert.Equal("invalid_utf8", Assert.Throws<InputException>(() => DatasetReader.Read("t.csv", (byte[])[0xFF, 0xFE, .. Encoding.Unicode.GetBytes("prompt,completion\na,b\n")])).Code);
    }

    /// <summary>Lines that are no table stay what they were.</summary>
    [Theory]
    [InlineData("hello, world\n")]
    [InlineData("\"prompt\": \"a, b\"}\n{\"prompt\": \"a, b\", \"completion\": \"c\"}\n")]
    public void Broken_JSON_is_no_table(string text) => Assert.Equal("not_json", Assert.Throws<InputException>(() => Read(text, "t.jsonl")).Code);

    [Theory]
    [InlineData("a,", 3_000_000, "")]
    [InlineData("\"", 3_000_000, "")]
    [InlineData("\"\"", 1_500_000, ",")]
    [InlineData("a\n", 1_500_000, "prompt,completion\na,b\n")]
    [InlineData(",\n", 1_500_000, "prompt,completion\n")]
    [InlineData("a,b\n", 700_000, "prompt,completion\n\"")]
    [InlineData("x", 20_000_000, "prompt,completion\n")]
    [InlineData("x,", 600_000, "prompt,completion\n")]
    [InlineData("\r", 3_000_000, "prompt,completion\n")]
    public void Hostile_tables_cost_little(string unit, int times, string before)
    {
        var bytes = Encoding.UTF8.GetBytes(before + string.Concat(Enumerable.Repeat(unit, times)));
        var (clock, allocated) = (ThreadClock.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        var error = Record.Exception(() => DatasetReader.Read("t.csv", bytes));
        output.WriteLine($"{clock.Elapsed.TotalMilliseconds:0} ms, {(GC.GetAllocatedBytesForCurrentThread() - allocated) / 1e6:0} MB: {error?.Message}");
        Assert.IsType<InputException>(error);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < (40L * bytes.Length) + (64 << 20));
    }

    [Fact]
    [Trait("Category", "Hostile")]
    public void Ten_thousand_mutated_tables_end_in_success_or_a_clear_error()
    {
        string[] originals = ["prompt,completion\na,b\n\"c \"\"d\"\"\",\"e\nf\"\n", "\uFEFFid;prompt;completion\r\n1;a;b\r\n2;c;d\r\n", "text\tn\nx\t1\ny\t2\n", "prompt,chosen,rejected\np,c,r\n"];
        byte[][] splices = ["\""u8.ToArray(), "\"\""u8.ToArray(), ","u8.ToArray(), ";"u8.ToArray(), "\t"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\n\n"u8.ToArray(), [0xFF], [0], [0xEF, 0xBB, 0xBF], "prompt"u8.ToArray(), Encoding.UTF8.GetBytes(new string(',', 2000))];
        var random = new CounterRandom(20261124, RandomStream.Sampling);
        var position = 0UL;
        int Draw(int bound) => random.Below(bound, position++);
        var good = 0;
        for (var file = 0; file < 10_000; file++)
        {
            var bytes = Encoding.UTF8.GetBytes(originals[Draw(originals.Length)]).ToList();
            for (var changes = 1 + Draw(3); changes > 0 && bytes.Count > 0; changes--)
            {
                var at = Draw(bytes.Count);
                switch (Draw(4))
                {
                    case 0: bytes[at] = (byte)Draw(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(1 + Draw(8), bytes.Count - at)); break;
                    default: bytes.InsertRange(at, splices[Draw(splices.Length)]); break;
                }
            }

            try
            {
                Assert.All(DatasetReader.Read("t.csv", bytes.ToArray(), file % 2 == 0 ? null : DatasetFormat.Preference).Examples, e => Assert.NotNull(e.Expected));
                good++;
            }
            catch (InputException e)
            {
                Assert.Equal("t.csv", e.File);
                Assert.True(e.Line is null or > 0, e.Message);
            }
        }

        output.WriteLine($"{good} of 10000 still good");
        Assert.InRange(good, 100, 9_900);
    }

    private static Dataset Read(string text, string file = "t.csv", Dictionary<string, string>? columns = null) =>
        DatasetReader.Read(file, Encoding.UTF8.GetBytes(text), columns: columns);
}
