namespace Apprentice.Recipes.Base;

/// <summary>The text files beside the code.</summary>
internal static class Resource
{
    /// <summary>Lines without blank ones and without comments (<c># </c>); indentation is kept, space at the end is not.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var reader = new StreamReader(typeof(Resource).Assembly.GetManifestResourceStream(name)!);
        while (reader.ReadLine() is { } line)
        {
            if (line.TrimEnd() is { Length: > 0 } text && !text.StartsWith("# ", StringComparison.Ordinal))
            {
                yield return text;
            }
        }
    }
}
