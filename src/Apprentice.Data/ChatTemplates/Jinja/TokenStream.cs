using System.Runtime.CompilerServices;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>The tokens of a template with a place in them, and how deep the parser is nested.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    private const int MaxDepth = 200;
    private int _at;
    private int _depth;

    public Token Current => tokens[_at];

    public Token Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Position Position => Current.Position;

    public Token Take()
    {
        var token = Current;
        if (_at < tokens.Count - 1)
        {
            _at++;
        }

        return token;
    }

    public bool SkipName(string text) => Skip(Current.IsName(text));

    public bool SkipOperator(string text) => Skip(Current.IsOperator(text));

    public void Expect(string op)
    {
        if (!SkipOperator(op))
        {
            throw Error($"expected token {Python.Quote(op)}, got {Python.Quote(Current.Description)}");
        }
    }

    public Token Expect(TokenKind kind, string described) => Current.Kind == kind
        ? Take()
        : throw Error($"expected token {Python.Quote(described)}, got {Python.Quote(Current.Description)}");

    public string ExpectName() => Expect(TokenKind.Name, "name").Text;

    public JinjaException Unexpected() => Error($"unexpected {Python.Quote(Current.Description)}");

    public JinjaException Error(string message) => new(JinjaError.Syntax, message, Position);

    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new JinjaException(JinjaError.Limit, $"the template nests deeper than {MaxDepth} levels", Position);
        }
    }

    public void Leave() => _depth--;

    private bool Skip(bool condition)
    {
        if (condition)
        {
            Take();
        }

        return condition;
    }
}
