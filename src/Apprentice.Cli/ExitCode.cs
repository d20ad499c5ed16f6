namespace Apprentice.Cli;

/// <summary>What the process tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The work was begun and failed.</summary>
    public const int Failed = 1;

    /// <summary>Bad usage or bad input: the message says what would be right.</summary>
    public const int BadInput = 2;

    /// <summary>A gate said no: data check, forgetting, not worth it.</summary>
    public const int Refused = 3;

    /// <summary>Interrupted; what was reached is saved.</summary>
    public const int Interrupted = 130;
}
