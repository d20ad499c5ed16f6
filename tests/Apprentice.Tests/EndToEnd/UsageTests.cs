namespace Apprentice.Tests.EndToEnd;

/// <summary>The frame of the command line, through the real program.</summary>
[Trait("Category", "EndToEnd")]
public class UsageTests
{
    [Fact]
    public async Task Help_of_every_command_shows_an_example()
    {
        var root = await CliProcess.RunAsync("--help");
        Assert.Equal((0, ""), (root.Exit, root.Error));
        foreach (var command in Commands(root.Output))
        {
            var help = await CliProcess.RunAsync(command, "--help");
            Assert.Equal((0, ""), (help.Exit, help.Error));
            Assert.Contains($"Example:\n  apprentice {command} ", help.Output, StringComparison.Ordinal);
            Assert.Contains("--json", help.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("'fnord' is not a command", "fnord")]
    [InlineData("'--fnord' is not an option", "--fnord")]
    public async Task What_is_unknown_is_named(string message, params string[] args)
    {
        var text = await CliProcess.RunAsync(args);
        Assert.Equal((2, ""), (text.Exit, text.Output));
        Assert.StartsWith($"error: {message}", text.Error, StringComparison.Ordinal);

        var json = await CliProcess.RunAsync([.. args, "--json"]);
        Assert.Equal((2, ""), (json.Exit, json.Error));
        Assert.StartsWith(message, json.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    // The first words of the lines under "Commands:".
    private static IEnumerable<string> Commands(string help) => help.Split('\n')
        .SkipWhile(line => line != "Commands:").Skip(1)
        .TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))
        .Select(line => line.Trim().Split(' ')[0]);
}
