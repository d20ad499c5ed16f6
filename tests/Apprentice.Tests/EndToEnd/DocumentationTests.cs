using System.Text.RegularExpressions;
using Apprentice.Tests.Golden;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;
using Apprentice.Training.Recipes;
using Xunit.Abstractions;

namespace Apprentice.Tests.EndToEnd;

/// <summary>README and docs/: what they say can be typed as it stands, and what is generated is current.</summary>
public sealed partial class DocumentationTests(ITestOutputHelper output)
{
    private static readonly string Docs = Path.Combine(GoldenData.Root, "docs");

    public static IEnumerable<string> Pages => Directory.GetFiles(Docs, "*.md").Append(Path.Combine(GoldenData.Root, "README.md")).Select(p => Path.GetRelativePath(GoldenData.Root, p)).Order(StringComparer.Ordinal);

    /// <summary>
    /// Every line of a code block that begins with the program's name, in the order of the pages, on a tiny model; trainings of
    /// the built-in one end soon, servers once they listen.
    /// </summary>
    [SkippableFact]
    public async Task Commands_do_what_they_say()
    {
        using var scratch = new ScratchFolder();
        File.Move(Models.TinyModel.Gguf(scratch), scratch.File("base.gguf"));
        File.WriteAllLines(scratch.File("tickets.jsonl"), Enumerable.Range(0, 20).Select(i => $$"""{"prompt": "question {{i}}", "completion": "the answer {{i}}"}"""));
        File.WriteAllText(scratch.File("tickets-test.jsonl"), """{"prompt": "question", "completion": "the answer"}""");
        File.WriteAllText(scratch.File("tickets.csv"), "question;answer\nmy card is lost;lost_card\nno money came out;cash\n");
        File.WriteAllText(scratch.File("preferences.jsonl"), """{"prompt": "question", "chosen": "good", "rejected": "bad"}""");
        File.WriteAllText(scratch.File("conversation.json"), """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]""");
        File.WriteAllText(scratch.File("recipe.yaml"), Block().Matches(Read("docs/add-a-recipe.md"))[0].Groups["text"].Value);
        foreach (var (page, line) in Pages.SelectMany(p => Commands(p).Select(line => (p, line))).OrderBy(c => c.p != "README.md"))
        {
            string[] words = [.. Word().Matches(line).Skip(1).Select(m => m.Value.Replace("\"", "", StringComparison.Ordinal))];
            string[] command = words[0] switch
            {
                "train" => [.. words, "--max-steps", "5"],
                "serve" => [.. words.TakeWhile(w => w != "--urls"), "--urls", "http://127.0.0.1:0"],
                _ => words,
            };
            using var cli = CliProcess.Start(command, new Dictionary<string, string> { ["APPRENTICE_HOME"] = scratch.File("home") }, scratch.Path);
            if (words[0] == "serve")
            {
                await cli.LineAsync(l => l.StartsWith("listening", StringComparison.Ordinal));
                cli.Terminate();
            }

            var run = await cli.WaitAsync();
            Assert.True(run.Exit == 0, $"{page}: {line}\n{run.Output}{run.Error}");
            output.WriteLine($"{page}: {line}");
        }
    }

    /// <summary>Those that are no call of the installed program have tests of their own.</summary>
    [Fact]
    public void Every_command_is_run_by_a_test()
    {
        var others = Pages.SelectMany(p => Shell(p).SelectMany(block => block.Split('\n')).Select(line => (Page: p, Line: line)))
            .Where(c => c.Line.Length > 0 && !c.Line.StartsWith("apprentice ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(others);
        Assert.All(others, command => Assert.True(
            command.Line == "dotnet test"
                || command.Line == QuickstartTests.Command
                || (command.Page.EndsWith("packaging.md", StringComparison.Ordinal) && PackedRepository.Commands.Any(start => command.Line.StartsWith(start, StringComparison.Ordinal))),
            $"{command.Page}: no test runs '{command.Line}'"));
        Assert.Equal([QuickstartTests.Command, "dotnet test"], Shell("README.md").Take(2).Select(block => block.TrimEnd()));
    }

    [Fact]
    public void Links_lead_somewhere() => Assert.All(Pages.SelectMany(p => Link().Matches(Read(p)).Select(m => (Page: p, Target: m.Groups[1].Value))), link =>
    {
        var target = Path.Combine(GoldenData.Root, Path.GetDirectoryName(link.Page)!, link.Target);
        Assert.True(File.Exists(target) || Directory.Exists(target), $"{link.Page}: {link.Target}");
    });

    /// <summary>The page of recipe fields is generated; UPDATE_DOCS=1 writes it.</summary>
    [Fact]
    public void Recipe_page_is_current()
    {
        var file = Path.Combine(Docs, "recipe.md");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(file, RecipeWriter.Reference());
        }

        Assert.True(File.ReadAllText(file) == RecipeWriter.Reference(), "docs/recipe.md is stale: UPDATE_DOCS=1 dotnet test --filter DocumentationTests");
    }

    [Fact]
    public void Error_codes_exist()
    {
        var sources = string.Concat(Directory.GetFiles(Path.Combine(GoldenData.Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var codes = Row().Matches(File.ReadAllText(Path.Combine(Docs, "troubleshooting.md"))).SelectMany(row => Code().Matches(row.Groups[1].Value)).Select(code => code.Groups[1].Value).ToList();
        Assert.True(codes.Count > 40);
        Assert.All(codes, code => Assert.Contains($"\"{code}\"", sources, StringComparison.Ordinal));

        // And each is explained.
        Assert.All(Thrown().Matches(sources).Select(m => m.Groups[1].Value).Distinct(), code => Assert.Contains(code, codes));
    }

    /// <summary>Blocks of no language hold commands.</summary>
    private static IEnumerable<string> Shell(string page) => Block().Matches(Read(page)).Where(b => b.Groups["language"].Length == 0).Select(b => b.Groups["text"].Value);

    private static IEnumerable<string> Commands(string page) => Shell(page)
        .SelectMany(block => block.Split('\n'))
        .Where(line => line.StartsWith("apprentice ", StringComparison.Ordinal));

    private static string Read(string page) => File.ReadAllText(Path.Combine(GoldenData.Root, page));

    [GeneratedRegex(@"^```(?<language>[a-z]*)\n(?<text>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?:[^\s""]|""[^""]*"")+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\]\((?![a-z]+:)([^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\| ((?:`[a-z0-9_]+` ?)+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"(?:(?:InputException|RunFailedException)\(\s*|recipe\.Error\()""([a-z0-9_]+)""")]
    private static partial Regex Thrown();

    [GeneratedRegex("`([a-z0-9_]+)`")]
    private static partial Regex Code();
}
