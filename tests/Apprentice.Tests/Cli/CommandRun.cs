using System.Text.Json;
using Apprentice.Cli;

namespace Apprentice.Tests.Cli;

/// <summary>What one command line gave, run within the test's process with verbs whose work the test supplies.</summary>
internal sealed record CommandRun(int Exit, string Output, string Error)
{
    /// <summary>The one JSON object on standard output; fails where anything else is there.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static async Task<CommandRun> Of(Func<Terminal, Verb> verb, string[] args, CancellationToken cancel = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await CommandLine.RunAsync(args, terminal => [verb(terminal)], output, error, cancel);
        return new CommandRun(exit, output.ToString(), error.ToString());
    }
}
