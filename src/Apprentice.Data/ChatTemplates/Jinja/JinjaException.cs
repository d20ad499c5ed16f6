namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>What kind of mistake a template made. Each is one code of the <see cref="InputException"/> that users see.</summary>
internal enum JinjaError
{
    /// <summary>The template called <c>raise_exception</c>: it refuses this conversation.</summary>
    Raised,
    Syntax,
    Undefined,
    /// <summary>What Python would call a TypeError, ValueError or ZeroDivisionError.</summary>
    Type,
    /// <summary>An attribute that the sandbox does not give out.</summary>
    Security,
    /// <summary>More steps, depth, text or digits than <see cref="Budget"/> allows.</summary>
    Limit,
}

/// <summary>A mistake in a template. Position is filled in by whoever knows it first: the lexer, the parser or the evaluator.</summary>
internal sealed class JinjaException(JinjaError kind, string message, Position? position = null) : Exception(message)
{
    public JinjaError Kind { get; } = kind;
    public Position? Position { get; set; } = position;

    public static JinjaException Type(string message) => new(JinjaError.Type, message);

    public static JinjaException Limit(string what) => new(JinjaError.Limit, what);
}

/// <summary>One-based line and column (in UTF-16 units) within a template's source.</summary>
internal readonly record struct Position(int Line, int Column);
