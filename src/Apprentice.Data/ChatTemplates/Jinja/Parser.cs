namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Parses a template into statements: Jinja's own tags, loop controls, and the <c>generation</c> tag of transformers.</summary>
internal sealed class Parser
{
    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;

    /// <summary>Tags that would close each open block, and the block's own name, outermost first.</summary>
    private readonly Stack<(string[] EndTags, string Tag)> _open = new();

    private Parser(string source)
    {
        _tokens = new TokenStream(Lexer.Tokenize(source));
        _expressions = new ExpressionParser(_tokens);
    }

    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new Parser(source);
        return parser.ParseStatements();
    }

    private List<Statement> ParseStatements()
    {
        var result = new List<Statement>();
        while (true)
        {
            var token = _tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.Data:
                    _tokens.Take();
                    result.Add(new Data(token.Position, new TracedString(token.Text)));
                    break;
                case TokenKind.VariableBegin:
                    _tokens.Take();
                    result.Add(new Print(token.Position, _expressions.ParseTuple()));
                    _tokens.Expect(TokenKind.VariableEnd, "end of print statement");
                    break;
                case TokenKind.BlockBegin:
                    if (_open.Count > 0 && _tokens.Next.Kind == TokenKind.Name && _open.Peek().EndTags.Contains(_tokens.Next.Text))
                    {
                        _tokens.Take();
                        return result;
                    }

                    _tokens.Take();
                    _tokens.Enter();
                    result.Add(ParseStatement());
                    _tokens.Leave();
                    _tokens.Expect(TokenKind.BlockEnd, "end of statement block");
                    break;
                default:
                    return _open.Count == 0 ? result : throw _tokens.Error("Unexpected end of template." + LookingFor());
            }
        }
    }

    /// <summary>The rest of a block's opening tag and its body, up to the name of one of its end tags, which is given.</summary>
    private List<Statement> ParseBody(string tag, out string endTag, params string[] endTags)
    {
        _tokens.SkipOperator(":");
        _tokens.Expect(TokenKind.BlockEnd, "end of statement block");
        _open.Push((endTags, tag));
        var body = ParseStatements();
        _open.Pop();
        endTag = _tokens.Take().Text;
        return body;
    }

    private List<Statement> ParseBody(string tag) => ParseBody(tag, out _, "end" + tag);

    private Statement ParseStatement()
    {
        var token = _tokens.Current;
        if (token.Kind != TokenKind.Name)
        {
            throw _tokens.Error("tag name expected");
        }

        _tokens.Take();
        switch (token.Text)
        {
            case "if":
                return ParseIf(token.Position);
            case "for":
                return ParseFor(token.Position);
            case "set":
                return ParseSet(token.Position);
            case "macro":
                return ParseMacro(token.Position);
            case "call":
                return ParseCall(token.Position);
            case "filter":
                var filters = ParseFilters();
                return new FilterBlock(token.Position, filters, ParseBody("filter"));
            case "with":
                return ParseWith(token.Position);
            case "block":
                return ParseBlock(token.Position);
            case "generation":
                return new Generation(token.Position, ParseBody("generation"));
            case "break":
                return new Break(token.Position);
            case "continue":
                return new Continue(token.Position);
            case "print":
                return new Print(token.Position, _expressions.ParseTuple());
            case "autoescape":
                _expressions.ParseExpression();
                return new Block(token.Position, ParseBody("autoescape"));
            case "include" or "import" or "from" or "extends":
                while (_tokens.Current.Kind is not (TokenKind.BlockEnd or TokenKind.End))
                {
                    _tokens.Take();
                }

                return new Unsupported(token.Position, "no loader for this environment specified");
            default:
                throw new JinjaException(JinjaError.Syntax, $"Encountered unknown tag {Python.Quote(token.Text)}." + LookingFor(), token.Position);
        }
    }

    private string LookingFor()
    {
        if (_open.Count == 0)
        {
            return "";
        }

        var (endTags, tag) = _open.Peek();
        return $" Jinja was looking for the following tags: {string.Join(" or ", endTags.Select(Python.Quote))}. The innermost block that needs to be closed is {Python.Quote(tag)}.";
    }

    private If ParseIf(Position position)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        List<Statement> otherwise = [];
        for (var tag = "elif"; tag != "endif";)
        {
            if (tag == "elif")
            {
                var condition = _expressions.ParseTuple(withConditional: false);
                branches.Add((condition, ParseBody("if", out tag, "elif", "else", "endif")));
            }
            else
            {
                otherwise = ParseBody("if", out tag, "endif");
            }
        }

        return new If(position, branches, otherwise);
    }

    private For ParseFor(Position position)
    {
        var target = _expressions.ParseTarget();
        if (!_tokens.SkipName("in"))
        {
            throw _tokens.Error($"expected token 'in', got {Python.Quote(_tokens.Current.Description)}");
        }

        var items = _expressions.ParseTuple(withConditional: false, endName: "recursive");
        var condition = _tokens.SkipName("if") ? _expressions.ParseExpression() : null;
        var isRecursive = _tokens.SkipName("recursive");
        var body = ParseBody("for", out var tag, "endfor", "else");
        List<Statement> otherwise = tag == "else" ? ParseBody("for", out _, "endfor") : [];
        return new For(position, target, items, condition, isRecursive, body, otherwise);
    }

    private Statement ParseSet(Position position)
    {
        var target = _expressions.ParseTarget(allowNamespace: true);
        if (_tokens.SkipOperator("="))
        {
            return new Set(position, target, _expressions.ParseTuple());
        }

        var filters = _tokens.SkipOperator("|") ? ParseFilters() : [];
        return new SetBlock(position, target, filters, ParseBody("set"));
    }

    private List<Filter> ParseFilters()
    {
        var filters = new List<Filter>();
        do
        {
            filters.Add(_expressions.ParseFilter(null));
        }
        while (_tokens.SkipOperator("|"));
        return filters;
    }

    private MacroDefinition ParseMacro(Position position)
    {
        var name = _tokens.ExpectName();
        var signature = ParseSignature();
        return ParseMacroBody(position, name, "macro", signature);
    }

    private MacroDefinition ParseMacroBody(Position position, string name, string tag, Signature signature)
    {
        var outer = _expressions.NamesSeen;
        _expressions.NamesSeen = [];
        var body = ParseBody(tag);
        var names = _expressions.NamesSeen;
        outer.UnionWith(names);
        _expressions.NamesSeen = outer;
        return new MacroDefinition(position, name, signature, body)
        {
            UsesVarargs = names.Contains("varargs"),
            UsesKwargs = names.Contains("kwargs"),
            UsesCaller = names.Contains("caller"),
        };
    }

    private Signature ParseSignature()
    {
        _tokens.Expect("(");
        var names = new List<string>();
        var defaults = new List<Expression?>();
        while (!_tokens.Current.IsOperator(")"))
        {
            if (names.Count > 0)
            {
                _tokens.Expect(",");
                if (_tokens.Current.IsOperator(")"))
                {
                    break;
                }
            }

            names.Add(_tokens.ExpectName());
            if (_tokens.SkipOperator("="))
            {
                defaults.Add(_expressions.ParseExpression());
            }
            else if (defaults.Any(d => d is not null))
            {
                throw _tokens.Error("non-default argument follows default argument");
            }
            else
            {
                defaults.Add(null);
            }
        }

        _tokens.Expect(")");
        return new Signature(names, defaults);
    }

    private CallBlock ParseCall(Position position)
    {
        var signature = _tokens.Current.IsOperator("(") ? ParseSignature() : new Signature([], []);
        if (_expressions.ParseExpression() is not Call call)
        {
            throw _tokens.Error("expected call");
        }

        return new CallBlock(position, call, ParseMacroBody(position, "caller", "call", signature));
    }

    private With ParseWith(Position position)
    {
        var bindings = new List<(Expression, Expression)>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (bindings.Count > 0)
            {
                _tokens.Expect(",");
            }

            var target = _expressions.ParseTarget(allowTuple: false);
            _tokens.Expect("=");
            bindings.Add((target, _expressions.ParseExpression()));
        }

        return new With(position, bindings, ParseBody("with"));
    }

    private Block ParseBlock(Position position)
    {
        _tokens.ExpectName();
        while (_tokens.SkipName("scoped") || _tokens.SkipName("required"))
        {
        }

        var block = new Block(position, ParseBody("block"));
        if (_tokens.Current.Kind == TokenKind.Name)
        {
            _tokens.Take();
        }

        return block;
    }
}
