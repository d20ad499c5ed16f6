using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Tests.EndToEnd;

/// <summary>A folder as a user has it: the tiny model as <c>m</c>, examples beside it, and the command line called in it.</summary>
internal sealed class Workplace : IDisposable
{
    /// <summary>Questions whose answers the tiny model learns by heart.</summary>
    public static readonly (string Prompt, string Completion)[] Bank =
    [
        ("my card is lost", "lost_card"), ("the card was stolen", "lost_card"), ("i need cash", "cash"),
        ("no money came out", "cash"), ("where is my top up", "top_up"), ("the top up failed", "top_up"),
    ];

    public Workplace(bool tied = false, byte? broken = null)
    {
        TinyModel.WriteFolder(In("m"), tied, broken);
        WriteLines("bank.jsonl", Bank.Select(b => new { b.Prompt, b.Completion }));
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("apprentice-").FullName;

    /// <summary>Its registry, there once something is registered.</summary>
    public string Home => Path + "-home";

    public string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    public string Read(params string[] names) => File.ReadAllText(In(names));

    public JsonObject ReadJson(params string[] names) => JsonNode.Parse(Read(names))!.AsObject();

    public void WriteLines<T>(string name, IEnumerable<T> rows) =>
        File.WriteAllLines(In(name), rows.Select(r => JsonSerializer.Serialize(r, JsonSerializerOptions.Web)));

    /// <summary>Starts a command in this folder; words are split at spaces.</summary>
    public CliProcess Start(string command, params string[] more) =>
        Start(command, Environment, more);

    /// <summary>The same with another environment.</summary>
    public CliProcess Start(string command, IReadOnlyDictionary<string, string> environment, params string[] more) =>
        CliProcess.Start([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. more], environment, Path);

    /// <summary>What the commands get of it beside the test's own.</summary>
    public Dictionary<string, string> Environment => new() { ["APPRENTICE_HOME"] = Home };

    /// <summary>Runs a command in this folder to its end.</summary>
    public async Task<CliResult> Run(string command, params string[] more)
    {
        using var cli = Start(command, more);
        return await cli.WaitAsync();
    }

    /// <summary>Runs a command that must succeed and gives its JSON.</summary>
    public async Task<JsonElement> Done(string command, params string[] more)
    {
        var result = await Run(command, [.. more, "--json"]);
        Assert.True(result.Exit == 0, $"exit {result.Exit}\n{result.Output}\n{result.Error}");
        return result.Json;
    }

    /// <summary>Runs a command that must be refused for what it was given, and gives what people see.</summary>
    public async Task<string> Refused(string command, params string[] more)
    {
        var result = await Run(command, more);
        Assert.True(result.Exit == 2, $"exit {result.Exit}\n{result.Output}\n{result.Error}");
        Assert.Equal("", result.Output);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal); // no stack trace
        return result.Error;
    }

    /// <summary>The loss fields of a run's events: all of a line but the timing.</summary>
    public string[] Losses(string run) => [.. File.ReadLines(In(run, "events.jsonl")).Select(line =>
    {
        var fields = JsonNode.Parse(line)!.AsObject();
        fields.Remove("tokens_per_second");
        return fields.ToJsonString();
    })];

    /// <summary>The run gave the same bits: adapter, the last checkpoint with its optimizer state, and the losses.</summary>
    public void AssertSameBits(string expected, string actual)
    {
        Assert.Equal(Losses(expected), Losses(actual));
        Assert.Equal(Files(In(expected, "adapter")), Files(In(actual, "adapter")));
        var last = CheckpointStore.Name((int)ReadJson(expected, "state.json")["step"]!);
        Assert.Equal(Files(In(expected, "checkpoints", last)), Files(In(actual, "checkpoints", last)));
    }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        if (Directory.Exists(Home))
        {
            Directory.Delete(Home, recursive: true);
        }
    }

    private static SortedDictionary<string, string> Files(string folder) =>
        new(Directory.GetFiles(folder).ToDictionary(f => System.IO.Path.GetFileName(f), f => Convert.ToHexString(File.ReadAllBytes(f))), StringComparer.Ordinal);
}
