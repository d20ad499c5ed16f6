using System.Text.RegularExpressions;
using Apprentice.Tests.Golden;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.EndToEnd;

/// <summary>The programs in samples/, built with the tests and run from their own folders.</summary>
public sealed class SamplesTests
{
    private static readonly string Configuration = Path.GetRelativePath(Path.Combine(GoldenData.Root, "tests", "Apprentice.Tests"), AppContext.BaseDirectory);

    [Fact]
    public async Task Ask_answers_with_the_built_in_model_and_with_a_given_one_as_generate_does()
    {
        var builtIn = await Done(Start("Ask", "My card has not arrived"));
        Assert.Equal((await CliProcess.RunAsync("generate", "--model", "base", "--prompt", "My card has not arrived", "--max-tokens", "100")).Output, builtIn);

        using var work = new Workplace();
        Assert.Equal((await work.Run("generate --model m --max-tokens 100 --prompt", "Hello")).Output, await Done(Start("Ask", "Hello", work.In("m"))));
    }

    [Fact]
    public async Task The_web_sample_answers_at_its_endpoint()
    {
        const string Listening = "Now listening on: ";
        using var web = Start("WebChat", "--urls", "http://127.0.0.1:0");
        var line = await web.LineAsync(l => l.Contains(Listening, StringComparison.Ordinal));
        using var http = new HttpClient { BaseAddress = new Uri(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim()) };
        var expected = await CliProcess.RunAsync("generate", "--model", "base", "--prompt", "My card has not arrived", "--max-tokens", "100");
        Assert.Equal(expected.Output.TrimEnd('\n'), await http.GetStringAsync("/ask?question=My+card+has+not+arrived"));
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await http.GetAsync("/ask")).StatusCode);
    }

    /// <summary>Each block is a program of its own: its usings, and what stands after them in a method.</summary>
    [Fact]
    public async Task Code_of_the_library_page_compiles()
    {
        var blocks = Regex.Matches(PackedRepository.Text("docs/library.md"), "^```csharp\n(?<usings>(?:using [^;=( ]+;\n)*)(?<rest>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline);
        Assert.Equal(3, blocks.Count);
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File("Page.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{AppContext.BaseDirectory}Apprentice.*.dll;{AppContext.BaseDirectory}Microsoft.Extensions.AI.Abstractions.dll" />
              </ItemGroup>
            </Project>
            """);
        foreach (var (i, block) in blocks.Index())
        {
            File.WriteAllText(folder.File($"Block{i}.cs"), $"{block.Groups["usings"]}internal static class Block{i}\n{{\n    public static async Task Run(string[] args)\n    {{\nawait Task.Yield();\n{block.Groups["rest"]}    }}\n}}\n");
        }

        File.WriteAllText(folder.File("Program.cs"), string.Concat(blocks.Index().Select(b => $"await Block{b.Index}.Run(args);\n")));
        using var build = CliProcess.StartProgram("dotnet", ["build", "-v:quiet", "-nodeReuse:false", "-warnaserror", "-p:NuGetAudit=false"], folder: folder.Path);
        var result = await build.WaitAsync();
        Assert.True(result.Exit == 0, result.Output + result.Error);
    }

    private static CliProcess Start(string sample, params string[] args) =>
        CliProcess.StartProgram("dotnet", [Path.Combine(GoldenData.Root, "samples", sample, Configuration, $"{sample}.dll"), .. args]);

    private static async Task<string> Done(CliProcess sample)
    {
        using (sample)
        {
            var result = await sample.WaitAsync();
            Assert.True(result.Exit == 0, result.Output + result.Error);
            return result.Output;
        }
    }
}
