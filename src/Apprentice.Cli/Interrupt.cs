using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Apprentice.Cli;

/// <summary>
/// Ctrl-C and SIGTERM: the first asks the command to finish its step, save and end; a second one, a second or more
/// later, ends the process at once. What comes sooner is the same signal twice: a wrapper such as timeout(1) sends it to
/// the process and to its group.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private static readonly TimeSpan SameSignal = TimeSpan.FromSeconds(1);
    private static readonly Lock Diverting = new();
    private static Action? diverted;
    private readonly CancellationTokenSource source = new();
    private readonly Stopwatch since = new();
    private readonly PosixSignalRegistration[] registrations;

    public Interrupt() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
    ];

    public CancellationToken Token => source.Token;

    /// <summary>Until it is disposed, Ctrl-C calls this and does not ask the command to end. The signals of a process are one for all of it.</summary>
    public static IDisposable Divert(Action onInterrupt)
    {
        lock (Diverting)
        {
            diverted = onInterrupt;
            return new Diversion();
        }
    }

    public void Dispose()
    {
        foreach (var registration in registrations)
        {
            registration.Dispose();
        }

        source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        lock (Diverting)
        {
            if (context.Signal == PosixSignal.SIGINT && diverted is { } instead)
            {
                context.Cancel = true;
                instead();
                return;
            }
        }

        if (!source.IsCancellationRequested)
        {
            context.Cancel = true; // the process lives on
            since.Start();
            source.Cancel();
        }
        else if (since.Elapsed < SameSignal)
        {
            context.Cancel = true;
        }
        else if (!Console.IsErrorRedirected)
        {
            Console.Error.WriteLine("\e[?25h"); // a live view hides the cursor and gets no chance to bring it back
        }
    }

    private sealed class Diversion : IDisposable
    {
        public void Dispose()
        {
            lock (Diverting)
            {
                diverted = null;
            }
        }
    }
}
