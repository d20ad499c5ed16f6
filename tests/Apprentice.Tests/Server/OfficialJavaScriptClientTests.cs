using System.Diagnostics;
using Apprentice.Tests.EndToEnd;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Server;

/// <summary>The official JavaScript client, unchanged: tests/clients/npm/flows.mjs. `npm install` in that folder brings it.</summary>
public sealed class OfficialJavaScriptClientTests
{
    [SkippableFact]
    public async Task Its_flows_work()
    {
        var folder = Path.Combine(GoldenData.Root, "tests", "clients", "npm");
        Skip.If(!Directory.Exists(Path.Combine(folder, "node_modules", "openai")), "npm's openai is not there: npm install in tests/clients/npm");
        Skip.If(!HasNode(), "node is not there");
        await using var server = await TestServer.Start();
        using var node = CliProcess.StartProgram("node", ["flows.mjs", server.Server.Urls[0].ToString(), "m"], folder: folder);
        var result = await node.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(result.Exit == 0, result.Output + result.Error);
        Assert.Equal(8, result.Output.Split('\n').Count(l => l.EndsWith(" works", StringComparison.Ordinal)));
    }

    private static bool HasNode()
    {
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true, UseShellExecute = false });
            node!.WaitForExit();
            return node.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
