namespace Apprentice.Models.Registry;

/// <summary>The folder of what is kept for a user, whatever folder commands are called from: registered models and API keys.</summary>
public static class ApprenticeHome
{
    /// <param name="given">Null: $APPRENTICE_HOME, else ~/.apprentice.</param>
    /// <returns>An absolute path; it need not be there.</returns>
    public static string Of(string? given) => Path.GetFullPath(given
        ?? (Environment.GetEnvironmentVariable("APPRENTICE_HOME") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".apprentice")));
}
