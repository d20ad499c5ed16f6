using System.Text.RegularExpressions;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.EndToEnd;

/// <summary>
/// The commands of docs/packaging.md, run as they stand there but for their folders: what they build and give lies in a
/// folder of its own, so that the repository's bin and obj, from which tests run, stay as they are.
/// </summary>
public sealed partial class PackedRepository : IAsyncLifetime
{
    /// <summary>Nothing but this folder's packages, and for others those that the build of the tests has fetched.</summary>
    private const string Sources = """
        <configuration>
          <packageSources>
            <clear />
            <add key="packed" value="artifacts" />
            <add key="fetched" value="{0}" />
          </packageSources>
          <packageSourceMapping>
            <packageSource key="packed"><package pattern="apprentice*" /></packageSource>
            <packageSource key="fetched"><package pattern="*" /></packageSource>
          </packageSourceMapping>
        </configuration>
        """;

    private static readonly string Home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
    private readonly Lazy<Task<string>> published;

    public PackedRepository() => published = new(PublishAsync);

    /// <summary>The page whose commands are run.</summary>
    public static string Page { get; } = Text("docs/packaging.md");

    /// <summary>How those that the tests run begin.</summary>
    public static IReadOnlyList<string> Commands { get; } = ["dotnet pack ", "dotnet tool install ", "dotnet publish "];

    /// <summary>The folder in which the page's relative paths begin.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("apprentice-").FullName;

    public string Artifacts => In("artifacts");

    /// <summary>Packages that the build has fetched; another place would mean the network.</summary>
    public static string Fetched { get; } = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set ? set : System.IO.Path.Combine(Home, ".nuget", "packages");

    public string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    public static string Text(string page) => File.ReadAllText(System.IO.Path.Combine(GoldenData.Root, page));

    /// <summary>The first code block of a language.</summary>
    public static string Block(string page, string language) => Regex.Match(page, $"^```{language}\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value;

    public async Task InitializeAsync()
    {
        File.WriteAllText(In("nuget.config"), Sources.Replace("{0}", Fetched, StringComparison.Ordinal));
        await DoneAsync("dotnet", Build("dotnet pack "), GoldenData.Root);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Path, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>The page's command that begins so, as arguments of dotnet, with its folder under <see cref="Path"/>.</summary>
    public string[] Command(string start) =>
        [.. Page.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal)).Split(' ').Skip(1).Select(word => word.StartsWith("artifacts", StringComparison.Ordinal) ? In(word) : word)];

    /// <summary>The self-contained program's folder; the calling test is skipped where the runtime cannot be fetched.</summary>
    public Task<string> PublishedAsync() => published.Value;

    /// <summary>Runs a program that must end well.</summary>
    internal async Task<CliResult> DoneAsync(string program, string[] args, string folder)
    {
        var run = await RunAsync(program, args, folder);
        Assert.True(run.Exit == 0, $"{program} {string.Join(' ', args)}: exit {run.Exit}\n{run.Output}\n{run.Error}");
        return run;
    }

    internal async Task<CliResult> RunAsync(string program, string[] args, string folder, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = CliProcess.StartProgram(program, args, environment, folder);
        return await process.WaitAsync(TimeSpan.FromMinutes(5));
    }

    private async Task<string> PublishAsync()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64, "publishes for linux-x64");
        var command = Build("dotnet publish ");
        var run = await RunAsync("dotnet", command, GoldenData.Root);
        var missing = MissingPackage().Match(run.Output);
        Skip.If(run.Exit != 0 && missing.Success, $"the runtime's package cannot be fetched: {missing.Value}");
        Assert.True(run.Exit == 0, run.Output + run.Error);
        return command[Array.IndexOf(command, "-o") + 1];
    }

    /// <summary>A command that builds: the analyzers have looked at the sources already.</summary>
    private string[] Build(string start) =>
        [.. Command(start), "--artifacts-path", In("build"), "-nodeReuse:false", "-v:quiet", "-p:RunAnalyzers=false", "-p:NuGetAudit=false", "-warnaserror"];

    [GeneratedRegex("error NU1(101|102|301)[^\n]*")]
    private static partial Regex MissingPackage();
}
