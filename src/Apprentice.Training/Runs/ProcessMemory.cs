using System.Diagnostics;
using System.Globalization;

namespace Apprentice.Training.Runs;

/// <summary>Memory of this process. Mapped pages of weight files count as resident, but not as private.</summary>
/// <param name="Resident">Bytes in memory now.</param>
/// <param name="Private">Of these, bytes that only this process has.</param>
/// <param name="PeakResident">The most that was resident at once.</param>
public readonly record struct ProcessMemory(long Resident, long Private, long PeakResident)
{
    public static ProcessMemory Now()
    {
        const string Status = "/proc/self/status";
        if (File.Exists(Status))
        {
            var fields = File.ReadLines(Status).Select(l => l.Split(':', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
            return new ProcessMemory(Kilobytes(fields, "VmRSS"), Kilobytes(fields, "RssAnon"), Kilobytes(fields, "VmHWM"));
        }

        using var process = Process.GetCurrentProcess();
        return new ProcessMemory(process.WorkingSet64, process.PrivateMemorySize64, process.PeakWorkingSet64);
    }

    private static long Kilobytes(Dictionary<string, string> fields, string name) =>
        fields.TryGetValue(name, out var text) && long.TryParse(text.Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture, out var kilobytes)
            ? kilobytes * 1024
            : 0;
}
