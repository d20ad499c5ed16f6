using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Apprentice.Tests;

/// <summary>
/// The processor time of the calling thread (POSIX clock_gettime, CLOCK_THREAD_CPUTIME_ID): bounds on hostile input hold
/// however busy the machine is. Where there is no such clock it is the time on the wall.
/// </summary>
internal readonly partial struct ThreadClock
{
    private readonly TimeSpan began;

    private ThreadClock(TimeSpan began) => this.began = began;

    public TimeSpan Elapsed => Now() - began;

    public static ThreadClock StartNew() => new(Now());

    private static TimeSpan Now()
    {
        const int LinuxThreadTime = 3;
        return !OperatingSystem.IsLinux() ? Stopwatch.GetElapsedTime(0)
            : ClockGetTime(LinuxThreadTime, out var time) == 0 ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
            : throw new InvalidOperationException("the thread's time cannot be read");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public nint Seconds, Nanoseconds;
    }
}
