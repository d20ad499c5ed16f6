using System.Text.RegularExpressions;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// PEFT's <c>rank_pattern</c> and <c>alpha_pattern</c>: values for the modules that a key matches, the first matching
/// key deciding. A key matches a module whose dotted name is the key or ends in "." + key. A key may be a regular
/// expression; it may come from a stranger, so it is matched in time linear in the name (no backtracking).
/// </summary>
public sealed class ModulePatterns<T>
{
    private readonly Func<string, bool>[] matches;

    /// <param name="entries">Key and value, in the order that decides.</param>
    /// <param name="file">The file that they stand in, for messages.</param>
    /// <exception cref="InputException">A key is no regular expression, or one that we refuse to match.</exception>
    public ModulePatterns(IEnumerable<KeyValuePair<string, T>> entries, string? file = null)
    {
        Entries = [.. entries];
        if (Entries.Count(e => !ModulePattern.IsPlain(e.Key)) > ModulePattern.MostExpressions)
        {
            throw new InputException("bad_pattern", $"more than {ModulePattern.MostExpressions} regular expressions as module patterns", file);
        }

        matches = [.. Entries.Select(e => ModulePattern.Suffix(e.Key, file))];
    }

    public static ModulePatterns<T> None { get; } = new([]);

    public IReadOnlyList<KeyValuePair<string, T>> Entries { get; }

    /// <summary>The value for a module, or <paramref name="otherwise"/> where no key matches.</summary>
    public T Resolve(string module, T otherwise)
    {
        var i = Array.FindIndex(matches, match => match(module));
        return i < 0 ? otherwise : Entries[i].Value;
    }
}

/// <summary>Compiles keys that select modules by their dotted names.</summary>
internal static class ModulePattern
{
    // Matching without backtracking takes time linear in the name, but states for every way through the expression:
    // these limits keep a hostile one at about a megabyte and a few milliseconds. Plain names cost nothing.
    public const int MostExpressions = 16;
    private const int LongestExpression = 200;
    private const int MostOperators = 24;

    /// <summary>Matches the key itself or any name that ends in "." + key.</summary>
    public static Func<string, bool> Suffix(string key, string? file) => IsPlain(key)
        ? name => IsOrEndsIn(name, key)
        : Compile($@"^(?:.*\.)?(?:{key})$", key, file).IsMatch;

    /// <summary>Matches the whole name.</summary>
    public static Func<string, bool> Whole(string pattern, string? file) => Compile($"^(?:{pattern})$", pattern, file).IsMatch;

    public static bool IsOrEndsIn(string name, string key) =>
        name.EndsWith(key, StringComparison.Ordinal) && (name.Length == key.Length || name[^(key.Length + 1)] == '.');

    /// <summary>A dotted name, as nearly all keys are. Its dots are taken literally.</summary>
    public static bool IsPlain(string key) => key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static Regex Compile(string expression, string key, string? file)
    {
        if (key.Length > LongestExpression)
        {
            throw new InputException("bad_pattern", $"a module pattern of {key.Length} characters: the most is {LongestExpression}", file);
        }

        var operators = key.Replace(@"\.", "", StringComparison.Ordinal).Count(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'));
        if (operators > MostOperators || key.Contains('{', StringComparison.Ordinal))
        {
            throw new InputException("bad_pattern", $"module pattern '{key}' has {operators} operators (the most is {MostOperators}) or counted repetition in braces", file);
        }

        try
        {
            return new Regex(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(500));
        }
        catch (RegexParseException e)
        {
            throw new InputException("bad_pattern", $"module pattern '{key}' is not a regular expression: {e.Message}", file);
        }
        catch (NotSupportedException)
        {
            throw new InputException("bad_pattern", $"module pattern '{key}' is too large or uses look-around or back-references, which are not supported", file);
        }
    }
}
