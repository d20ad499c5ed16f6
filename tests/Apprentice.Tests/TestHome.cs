using System.Runtime.CompilerServices;

namespace Apprentice.Tests;

/// <summary>
/// The registry of all that the tests run, in this process and in those that it starts: a folder of their own, never the user's. Nor do
/// they ask the real hub, or send anybody's token.
/// </summary>
internal static class TestHome
{
    [ModuleInitializer]
    internal static void Set()
    {
        var home = Directory.CreateTempSubdirectory("apprentice-home-").FullName;
        Environment.SetEnvironmentVariable("APPRENTICE_HOME", home);
        Environment.SetEnvironmentVariable("HF_ENDPOINT", "http://127.0.0.1:9");
        Environment.SetEnvironmentVariable("HF_TOKEN", null);
        Environment.SetEnvironmentVariable("NO_PROXY", "127.0.0.1,localhost");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(home, recursive: true);
    }
}
