using System.Text.RegularExpressions;
using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Evaluation;
using Apprentice.Models.Generation;
using Apprentice.Tests.Cli;
using Apprentice.Tests.Golden;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.EndToEnd;

/// <summary>README and docs/: what they say can be typed as it stands, and what is generated is current.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Docs = Path.Combine(GoldenData.Root, "docs");

    public static TheoryData<string> Pages => [.. Directory.GetFiles(Docs, "*.md").Append(Path.Combine(GoldenData.Root, "README.md")).Select(p => Path.GetRelativePath(GoldenData.Root, p)).Order(StringComparer.Ordinal)];

    /// <summary>Every line of a code block that begins with the program's name is a command line that is understood.</summary>
    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Commands_are_understood(string page)
    {
        foreach (var line in Commands(page))
        {
            var args = Word().Matches(line).Skip(1).Select(m => m.Value.Replace("\"", "", StringComparison.Ordinal)).ToArray();
            var ran = false;
            var run = await CommandRun.Of(terminal => VerbOf(args[0], terminal, () => ran = true), args);

            // The files of the examples are not here; to get as far as missing them is enough.
            Assert.True(ran || (run.Output + run.Error).Contains("there is no such", StringComparison.Ordinal), $"{page}: {line}\n{run.Output}{run.Error}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(GoldenData.Root, page))!;
        foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(GoldenData.Root, page))))
        {
            var target = Path.Combine(folder, link.Groups[1].Value);
            Assert.True(File.Exists(target) || Directory.Exists(target), $"{page}: {link.Groups[1].Value}");
        }
    }

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

        // Codes of templates are put together: "template_" + "raised".
        Assert.All(codes, code => Assert.Contains($"\"{code.Replace("template_raised", "raised", StringComparison.Ordinal)}\"", sources, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Commands(string page) => Block().Matches(File.ReadAllText(Path.Combine(GoldenData.Root, page)))
        .SelectMany(block => block.Groups[1].Value.Split('\n'))
        .Where(line => line.StartsWith("apprentice ", StringComparison.Ordinal));

    private static Verb VerbOf(string name, Terminal terminal, Action ran)
    {
        Task<T> Done<T>(T result)
        {
            ran();
            return Task.FromResult(result);
        }

        var trained = new TrainingSummary("runs/t", RunStatus.Succeeded, 1, 1, 1, 1, 1, 1, 1, 1, 1);
        return name switch
        {
            "train" => TrainCommand.Create(terminal, (_, _, _) => Done(trained)),
            "resume" => ResumeCommand.Create(terminal, (_, _, _) => Done(trained)),
            "evaluate" => EvaluateCommand.Create(terminal, (_, _, _) => Done(new EvaluationSummary(1, new Dictionary<string, Apprentice.Data.Metrics.MetricValue>()))),
            "generate" => GenerateCommand.Create(terminal, (_, _, _) => Done<IReadOnlyList<GenerationResult>>([new GenerationResult("", 1, 1, "stop", 1, 1)])),
            "tokenize" => TokenizeCommand.Create(terminal),
            _ => throw new ArgumentException($"there is no command '{name}'", nameof(name)),
        };
    }

    [GeneratedRegex(@"^```[a-z]*\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?:[^\s""]|""[^""]*"")+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\]\((?![a-z]+:)([^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\| ((?:`[a-z_]+` ?)+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Code();
}
