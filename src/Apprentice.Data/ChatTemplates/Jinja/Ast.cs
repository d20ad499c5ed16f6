namespace Apprentice.Data.ChatTemplates.Jinja;

internal abstract record Node(Position Position);

internal abstract record Expression(Position Position) : Node(Position);

internal sealed record Literal(Position Position, object? Value) : Expression(Position);

internal sealed record Name(Position Position, string Text) : Expression(Position);

internal sealed record ListDisplay(Position Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record TupleDisplay(Position Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record DictDisplay(Position Position, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Position);

internal sealed record Attribute(Position Position, Expression Owner, string Text) : Expression(Position);

internal sealed record Subscript(Position Position, Expression Owner, Expression Index) : Expression(Position);

internal sealed record SliceIndex(Position Position, Expression? Start, Expression? Stop, Expression? Step) : Expression(Position);

/// <summary>Arguments as written; <c>*x</c> and <c>**x</c> are spread when the call is made.</summary>
internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Spread, Expression? SpreadNamed)
{
    public static readonly CallArguments None = new([], [], null, null);
}

internal sealed record Call(Position Position, Expression Function, CallArguments Arguments) : Expression(Position);

/// <param name="Position">Where the filter's name stands.</param>
/// <param name="Input">What is filtered; null in a filter block, whose body it is.</param>
/// <param name="Text">The filter's name.</param>
/// <param name="Arguments">Its further arguments.</param>
internal sealed record Filter(Position Position, Expression? Input, string Text, CallArguments Arguments) : Expression(Position);

internal sealed record Test(Position Position, Expression Input, string Text, CallArguments Arguments) : Expression(Position);

internal sealed record Unary(Position Position, string Operator, Expression Operand) : Expression(Position);

internal sealed record Binary(Position Position, string Operator, Expression Left, Expression Right) : Expression(Position);

/// <summary>A chain such as <c>a &lt; b &lt;= c</c>; operators include <c>in</c> and <c>not in</c>.</summary>
internal sealed record Comparison(Position Position, Expression First, IReadOnlyList<(string Operator, Expression Value)> Rest) : Expression(Position);

internal sealed record Conditional(Position Position, Expression Condition, Expression Then, Expression? Else) : Expression(Position);

internal abstract record Statement(Position Position) : Node(Position);

internal sealed record Data(Position Position, TracedString Text) : Statement(Position);

internal sealed record Print(Position Position, Expression Value) : Statement(Position);

internal sealed record If(Position Position, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else) : Statement(Position);

internal sealed record For(
    Position Position, Expression Target, Expression Items, Expression? Condition, bool IsRecursive, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else) : Statement(Position);

internal sealed record Break(Position Position) : Statement(Position);

internal sealed record Continue(Position Position) : Statement(Position);

internal sealed record Set(Position Position, Expression Target, Expression Value) : Statement(Position);

internal sealed record SetBlock(Position Position, Expression Target, IReadOnlyList<Filter> Filters, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record Signature(IReadOnlyList<string> Names, IReadOnlyList<Expression?> Defaults);

internal sealed record MacroDefinition(Position Position, string Name, Signature Signature, IReadOnlyList<Statement> Body) : Statement(Position)
{
    public bool UsesVarargs { get; init; }

    public bool UsesKwargs { get; init; }

    public bool UsesCaller { get; init; }
}

internal sealed record CallBlock(Position Position, Call Call, MacroDefinition Body) : Statement(Position);

internal sealed record FilterBlock(Position Position, IReadOnlyList<Filter> Filters, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record With(Position Position, IReadOnlyList<(Expression Target, Expression Value)> Bindings, IReadOnlyList<Statement> Body) : Statement(Position);

/// <summary>A <c>{% block %}</c>, which without inheritance is a scope of its own.</summary>
internal sealed record Block(Position Position, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record Generation(Position Position, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record Unsupported(Position Position, string Message) : Statement(Position);
