using System.Runtime.InteropServices;

namespace Apprentice.Cli;

/// <summary>
/// ICU, the library with which .NET normalises text on Linux. Where it is missing .NET ends the process at the first
/// question about a culture, and few models need it: a tokenizer that does is refused (<c>unicode_normalization_missing</c>).
/// </summary>
internal static class Icu
{
    /// <summary>Goes on without ICU where the system has none. To be called before anything asks for a culture.</summary>
    public static void DoWithoutIfMissing()
    {
        if (OperatingSystem.IsLinux() && !Loads())
        {
            AppContext.SetSwitch("System.Globalization.Invariant", true);
        }
    }

    private static bool Loads()
    {
        try
        {
            return LoadIcu() != 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return true; // another runtime, which knows for itself
        }
    }

    /// <summary>The runtime's own search, which it repeats without harm.</summary>
    [DllImport("libSystem.Globalization.Native", EntryPoint = "GlobalizationNative_LoadICU")]
    private static extern int LoadIcu();
}
