using System.Runtime.InteropServices;

namespace Apprentice.Cli;

/// <summary>
/// Ctrl-C and SIGTERM: the first asks the command to finish its step, save and end; the second ends the process at once.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;

    public Interrupt() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
    ];

    public CancellationToken Token => source.Token;

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
        if (!source.IsCancellationRequested)
        {
            context.Cancel = true; // the process lives on
            source.Cancel();
        }
        else if (!Console.IsErrorRedirected)
        {
            Console.Error.WriteLine("\e[?25h"); // a live view hides the cursor and gets no chance to bring it back
        }
    }
}
