using System.CommandLine;
using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Data;

namespace Apprentice.Tests.Cli;

public class CommandLineTests
{
    private static Func<Terminal, Verb> Throws(Exception exception) => _ => Does((_, _) => throw exception);

    private static Verb Does(Func<ParseResult, CancellationToken, Task<int>> work)
    {
        var verb = new Verb("work", "Works.", "apprentice work --rate 0.5") { CommonOptions.Number("--rate", "A rate."), CommonOptions.Whole("--count", "A count.") };
        verb.SetAction(work);
        return verb;
    }

    private static readonly Func<Terminal, Verb> Fine = _ => Does((_, _) => Task.FromResult(0));

    [Fact]
    public async Task Help_ends_in_the_example()
    {
        var run = await CommandRun.Of(Fine, ["work", "--help"]);
        Assert.Equal(0, run.Exit);
        Assert.EndsWith("Example:\n  apprentice work --rate 0.5\n\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("--json", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'wrok' is not a command or argument of 'apprentice'", "did you mean 'work'?", "wrok")]
    [InlineData("'--rat' is not an option of 'apprentice work'", "did you mean '--rate'?", "work", "--rat", "1")]
    [InlineData("'extra' is not a command or argument of 'apprentice work'", "'apprentice work --help'", "work", "extra")]
    [InlineData("--rate is 'fast'; give a number", "'apprentice work --help'", "work", "--rate", "fast")]
    [InlineData("--rate is '1,5'; give a number", "'apprentice work --help'", "work", "--rate", "1,5")]
    [InlineData("--count is '2.5'; give a whole number", "'apprentice work --help'", "work", "--count", "2.5")]
    [InlineData("--count", "'apprentice work --help'", "work", "--count")]
    public async Task Bad_usage_is_named_and_mended(string message, string hint, params string[] args)
    {
        var run = await CommandRun.Of(Fine, args);
        Assert.Equal(2, run.Exit);
        Assert.Equal("", run.Output);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Contains(hint, run.Error, StringComparison.Ordinal);

        var json = await CommandRun.Of(Fine, [.. args, "--json"]);
        Assert.Equal((2, ""), (json.Exit, json.Error));
        Assert.Equal("bad_usage", json.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Contains(message, json.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_may_begin_with_an_at_sign_or_a_minus()
    {
        var text = new Option<string?>("--text");
        string? seen = null;
        Verb Create(Terminal terminal)
        {
            var verb = new Verb("work", "Works.", "apprentice work") { text };
            verb.SetAction((parsed, _) => Task.FromResult((seen = parsed.GetValue(text)) is null ? 1 : 0));
            return verb;
        }

        Assert.Equal(0, (await CommandRun.Of(Create, ["work", "--text", "@someone, hello"])).Exit);
        Assert.Equal("@someone, hello", seen);
        Assert.Equal(0, (await CommandRun.Of(Create, ["work", "--text", "-5 degrees"])).Exit);
        Assert.Equal("-5 degrees", seen);
    }

    [Fact]
    public async Task Bad_input_names_file_and_line()
    {
        var error = new InputException("missing_field", "the line has no \"prompt\"", "tickets.jsonl", 12, "add it");
        var run = await CommandRun.Of(Throws(error), ["work"]);
        Assert.Equal((2, "", "error: tickets.jsonl:12: the line has no \"prompt\"\nhint: add it\n"), (run.Exit, run.Output, run.Error));

        var json = await CommandRun.Of(Throws(error), ["work", "--json"]);
        Assert.Equal(
            """{"error":{"code":"missing_field","message":"the line has no \"prompt\"","file":"tickets.jsonl","line":12,"hint":"add it"}}""" + "\n",
            json.Output);
    }

    [Fact]
    public async Task A_fault_is_one_line_and_exit_1()
    {
        var run = await CommandRun.Of(Throws(new InvalidOperationException("oh\nno")), ["work"]);
        Assert.Equal(1, run.Exit);
        Assert.StartsWith("error: InvalidOperationException: oh no\nhint: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("APPRENTICE_DEBUG=1", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Being_cancelled_is_exit_130_only_when_the_user_asked_for_it()
    {
        using var asked = new CancellationTokenSource();
        asked.Cancel();
        Assert.Equal(130, (await CommandRun.Of(Throws(new OperationCanceledException()), ["work"], asked.Token)).Exit);
        Assert.Equal(1, (await CommandRun.Of(Throws(new OperationCanceledException()), ["work"])).Exit);
    }

    [Fact]
    public async Task A_bare_call_shows_what_there_is()
    {
        var run = await CommandRun.Of(Fine, []);
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Contains("work", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_null_in_json() =>
        Assert.Equal("""{"train_loss":null,"steps":3}""", Terminal.ToJson(new { TrainLoss = double.NaN, Steps = 3 }));
}
