using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Tests.Training.Checkpoints;

/// <summary>Stands for the death of the program before one of its file operations; nothing runs afterwards.</summary>
public sealed class KilledException : Exception
{
    /// <summary>Runs the action and kills it before file operation number <paramref name="operation"/> (from 0).</summary>
    /// <returns>False when it came to its end before that.</returns>
    public static bool Before(int operation, Action action)
    {
        var count = 0;
        FileSteps.Before.Value = _ =>
        {
            // A dead program does not clean up: every later operation, in catch blocks too, dies as well.
            if (count++ >= operation)
            {
                throw new KilledException();
            }
        };
        try
        {
            action();
            return false;
        }
        catch (KilledException)
        {
            return true;
        }
        finally
        {
            FileSteps.Before.Value = null;
        }
    }
}
