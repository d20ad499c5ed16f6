namespace Apprentice.Cli;

/// <summary>How this program is called here, for commands that a user is shown to copy.</summary>
internal static class Invocation
{
    /// <summary><c>apprentice</c> where it is installed; the way through <c>dotnet run</c> where it lies in its source tree.</summary>
    public static string Name { get; } = FromSource() ?? "apprentice";

    private static string? FromSource()
    {
        // …/Apprentice.Cli/bin/Release/net10.0/
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent;
        return configuration is { Parent: { Name: "bin", Parent: { } project } } && File.Exists(Path.Combine(project.FullName, "Apprentice.Cli.csproj"))
            ? $"dotnet run -c {configuration.Name} --project {Path.GetRelativePath(Environment.CurrentDirectory, project.FullName)} --"
            : null;
    }
}
