using System.Globalization;
using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>What operators stand between: literals, names, calls, attributes, subscripts, filters and tests.</summary>
internal sealed partial class ExpressionParser
{
    private const int MaxDigits = 1000;

    private Expression ParsePostfix(Expression result)
    {
        while (true)
        {
            var position = tokens.Position;
            if (tokens.SkipOperator("."))
            {
                var name = tokens.Take();
                result = name.Kind switch
                {
                    TokenKind.Name => new Attribute(position, result, name.Text),
                    TokenKind.Integer => new Subscript(position, result, new Literal(name.Position, ParseInteger(name))),
                    _ => throw tokens.Error("expected name or number"),
                };
            }
            else if (tokens.SkipOperator("["))
            {
                result = new Subscript(position, result, ParseIndex());
            }
            else if (tokens.Current.IsOperator("("))
            {
                result = new Call(position, result, ParseArguments());
            }
            else
            {
                return result;
            }
        }
    }

    private Expression ParseFiltersAndTests(Expression result)
    {
        while (true)
        {
            if (tokens.SkipOperator("|"))
            {
                result = ParseFilter(result);
            }
            else if (tokens.SkipName("is"))
            {
                result = ParseTest(result);
            }
            else if (tokens.Current.IsOperator("("))
            {
                result = new Call(tokens.Position, result, ParseArguments());
            }
            else
            {
                return result;
            }
        }
    }

    private Expression ParseTest(Expression input)
    {
        var position = tokens.Position;
        var isNegated = tokens.SkipName("not");
        var name = ParseDottedName();
        var arguments = CallArguments.None;
        var next = tokens.Current;
        if (next.IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (next.Kind is TokenKind.Name or TokenKind.String or TokenKind.Integer or TokenKind.Float || next.IsOperator("[") || next.IsOperator("{"))
        {
            if (next.IsName("is"))
            {
                throw tokens.Error("You cannot chain multiple tests with is");
            }

            if (!next.IsName("else") && !next.IsName("or") && !next.IsName("and"))
            {
                arguments = new CallArguments([ParsePostfix(ParsePrimary())], [], null, null);
            }
        }

        var test = new Test(position, input, name, arguments);
        return isNegated ? new Unary(position, "not", test) : test;
    }

    private string ParseDottedName()
    {
        // No filter or test of ours has a dot in its name; what follows the second is of no use to an error either.
        var name = tokens.ExpectName();
        for (var parts = 1; tokens.SkipOperator("."); parts++)
        {
            var part = tokens.ExpectName();
            name += parts < 3 ? "." + part : "";
        }

        return name;
    }

    private Expression ParseIndex()
    {
        var position = tokens.Position;
        var items = new List<Expression>();
        do
        {
            items.Add(ParseSubscribed());
        }
        while (tokens.SkipOperator(","));
        tokens.Expect("]");
        return items.Count == 1 ? items[0] : new TupleDisplay(position, items);
    }

    private Expression ParseSubscribed()
    {
        var position = tokens.Position;
        var start = AtSliceEnd() || tokens.Current.IsOperator(":") ? null : ParseExpression();
        if (!tokens.SkipOperator(":"))
        {
            return start ?? throw tokens.Unexpected();
        }

        var stop = AtSliceEnd() || tokens.Current.IsOperator(":") ? null : ParseExpression();
        var step = tokens.SkipOperator(":") && !AtSliceEnd() ? ParseExpression() : null;
        return new SliceIndex(position, start, stop, step);
    }

    private bool AtSliceEnd() => tokens.Current.IsOperator("]") || tokens.Current.IsOperator(",");

    private Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Take();
                NamesSeen.Add(token.Text);
                return token.Text switch
                {
                    "true" or "True" => new Literal(token.Position, true),
                    "false" or "False" => new Literal(token.Position, false),
                    "none" or "None" => new Literal(token.Position, null),
                    _ => new Name(token.Position, token.Text),
                };
            case TokenKind.String:
                tokens.Take();
                var text = new StringBuilder(token.Text);
                while (tokens.Current.Kind == TokenKind.String)
                {
                    text.Append(tokens.Take().Text);
                }

                return new Literal(token.Position, new TracedString(text.ToString()));
            case TokenKind.Integer:
                return new Literal(token.Position, ParseInteger(tokens.Take()));
            case TokenKind.Float:
                return new Literal(token.Position, double.Parse(tokens.Take().Text, NumberStyles.Float, CultureInfo.InvariantCulture));
        }

        if (tokens.SkipOperator("("))
        {
            var result = ParseTuple(inParentheses: true);
            tokens.Expect(")");
            return result;
        }

        if (tokens.SkipOperator("["))
        {
            return ParseList(token.Position);
        }

        return tokens.SkipOperator("{") ? ParseDict(token.Position) : throw tokens.Unexpected();
    }

    private ListDisplay ParseList(Position position)
    {
        var items = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            items.Add(ParseExpression());
            if (!tokens.SkipOperator(","))
            {
                break;
            }
        }

        tokens.Expect("]");
        return new ListDisplay(position, items);
    }

    private DictDisplay ParseDict(Position position)
    {
        var items = new List<(Expression, Expression)>();
        while (!tokens.Current.IsOperator("}"))
        {
            var key = ParseExpression();
            tokens.Expect(":");
            items.Add((key, ParseExpression()));
            if (!tokens.SkipOperator(","))
            {
                break;
            }
        }

        tokens.Expect("}");
        return new DictDisplay(position, items);
    }

    private BigInteger ParseInteger(Token token)
    {
        if (token.Text.Length > MaxDigits)
        {
            throw tokens.Error($"a number of more than {MaxDigits} digits");
        }

        return Python.TryParseInteger(token.Text, 0, out var value) ? value : throw tokens.Error($"{Python.Quote(token.Text)} is no whole number");
    }
}
