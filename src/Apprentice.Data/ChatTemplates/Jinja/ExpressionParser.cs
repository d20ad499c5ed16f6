namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Parses expressions with Jinja's precedences: if/else, or, and, not, comparison, + -, ~, * / // %, **, unary, filters and tests.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens)
{
    /// <summary>Every name read so far; a macro looks here whether its body uses varargs, kwargs or caller.</summary>
    public HashSet<string> NamesSeen { get; set; } = [];

    public Expression ParseExpression(bool withConditional = true)
    {
        tokens.Enter();
        var result = withConditional ? ParseConditional() : ParseOr();
        tokens.Leave();
        return result;
    }

    /// <summary>One expression, or several with commas between, which make a tuple.</summary>
    public Expression ParseTuple(bool withConditional = true, string? endName = null, bool inParentheses = false)
    {
        var position = tokens.Position;
        var items = new List<Expression>();
        var isTuple = false;
        while (!AtTupleEnd(endName))
        {
            items.Add(ParseExpression(withConditional));
            if (!tokens.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        if (isTuple || (items.Count == 0 && inParentheses))
        {
            return new TupleDisplay(position, items);
        }

        return items.Count == 1 ? items[0] : throw tokens.Error($"Expected an expression, got {Python.Quote(tokens.Current.Description)}");
    }

    /// <summary>What <c>for</c>, <c>set</c> and <c>with</c> bind: a name, names with commas between, or an attribute of a namespace.</summary>
    public Expression ParseTarget(bool allowNamespace = false, bool allowTuple = true)
    {
        tokens.Enter();
        var position = tokens.Position;
        if (allowNamespace && tokens.Current.Kind == TokenKind.Name && tokens.Next.IsOperator("."))
        {
            var owner = new Name(position, tokens.Take().Text);
            tokens.Take();
            tokens.Leave();
            return new Attribute(position, owner, tokens.ExpectName());
        }

        var items = new List<Expression>();
        var isTuple = false;
        while (true)
        {
            if (tokens.SkipOperator("("))
            {
                items.Add(ParseTarget());
                tokens.Expect(")");
            }
            else
            {
                items.Add(new Name(tokens.Position, tokens.ExpectName()));
            }

            if (!allowTuple || !tokens.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
            if (tokens.Current.Kind != TokenKind.Name && !tokens.Current.IsOperator("("))
            {
                break;
            }
        }

        tokens.Leave();
        return isTuple ? new TupleDisplay(position, items) : items[0];
    }

    public CallArguments ParseArguments()
    {
        tokens.Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null, spreadNamed = null;
        for (var first = true; !tokens.Current.IsOperator(")"); first = false)
        {
            if (!first)
            {
                tokens.Expect(",");
                if (tokens.Current.IsOperator(")"))
                {
                    break;
                }
            }

            if (tokens.SkipOperator("**"))
            {
                spreadNamed = ParseExpression();
            }
            else if (tokens.SkipOperator("*"))
            {
                spread = ParseExpression();
            }
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Next.IsOperator("="))
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add((name, ParseExpression()));
            }
            else if (named.Count > 0)
            {
                throw tokens.Error("invalid syntax for function call expression");
            }
            else
            {
                positional.Add(ParseExpression());
            }
        }

        tokens.Expect(")");
        return new CallArguments(positional, named, spread, spreadNamed);
    }

    /// <summary>A filter's name and arguments; the bar before it has been read.</summary>
    public Filter ParseFilter(Expression? input)
    {
        var position = tokens.Position;
        var name = ParseDottedName();
        var arguments = tokens.Current.IsOperator("(") ? ParseArguments() : CallArguments.None;
        return new Filter(position, input, name, arguments);
    }

    private bool AtTupleEnd(string? endName) =>
        tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || tokens.Current.IsOperator(")") || (endName is not null && tokens.Current.IsName(endName));

    private Expression ParseConditional()
    {
        var position = tokens.Position;
        var result = ParseOr();
        while (tokens.SkipName("if"))
        {
            var condition = ParseOr();
            result = new Conditional(position, condition, result, tokens.SkipName("else") ? ParseExpression() : null);
        }

        return result;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.Current.IsName("or"))
        {
            left = new Binary(tokens.Take().Position, "or", left, ParseAnd());
        }

        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.Current.IsName("and"))
        {
            left = new Binary(tokens.Take().Position, "and", left, ParseNot());
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!tokens.Current.IsName("not"))
        {
            return ParseComparison();
        }

        tokens.Enter();
        var result = new Unary(tokens.Take().Position, "not", ParseNot());
        tokens.Leave();
        return result;
    }

    private Expression ParseComparison()
    {
        var position = tokens.Position;
        var first = ParseBinary(0);
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
            {
                rest.Add((tokens.Take().Text, ParseBinary(0)));
            }
            else if (tokens.SkipName("in"))
            {
                rest.Add(("in", ParseBinary(0)));
            }
            else if (tokens.Current.IsName("not") && tokens.Next.IsName("in"))
            {
                tokens.Take();
                tokens.Take();
                rest.Add(("not in", ParseBinary(0)));
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(position, first, rest);
            }
        }
    }

    /// <summary>The arithmetic levels from loosest (0) to tightest; all of them group to the left.</summary>
    private Expression ParseBinary(int level)
    {
        if (level == 4)
        {
            return ParseUnary();
        }

        var left = ParseBinary(level + 1);
        while (tokens.Current.Kind == TokenKind.Operator && LevelOf(tokens.Current.Text) == level)
        {
            var op = tokens.Take();
            left = new Binary(op.Position, op.Text, left, ParseBinary(level + 1));
        }

        return left;
    }

    private static int LevelOf(string op) => op switch
    {
        "+" or "-" => 0,
        "~" => 1,
        "*" or "/" or "//" or "%" => 2,
        "**" => 3,
        _ => -1,
    };

    private Expression ParseUnary(bool withFilters = true)
    {
        tokens.Enter();
        var result = tokens.Current is { Kind: TokenKind.Operator, Text: "-" or "+" }
            ? new Unary(tokens.Position, tokens.Take().Text, ParseUnary(withFilters: false))
            : ParsePrimary();
        result = ParsePostfix(result);
        if (withFilters)
        {
            result = ParseFiltersAndTests(result);
        }

        tokens.Leave();
        return result;
    }
}
