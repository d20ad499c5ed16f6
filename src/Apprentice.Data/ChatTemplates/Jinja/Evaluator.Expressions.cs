namespace Apprentice.Data.ChatTemplates.Jinja;

// Expressions.
internal sealed partial class Evaluator
{
    private object? Evaluate(Expression expression, Scope scope)
    {
        _budget.Enter();
        _budget.Step();
        var value = expression switch
        {
            Literal literal => literal.Value,
            Name name => Lookup(name.Text, scope),
            Attribute attribute => EvaluateAttribute(attribute, scope),
            Subscript subscript => EvaluateSubscript(subscript, scope),
            Binary binary => EvaluateBinary(binary, scope),
            Comparison comparison => EvaluateComparison(comparison, scope),
            Unary unary => EvaluateUnary(unary, scope),
            Conditional conditional => EvaluateConditional(conditional, scope),
            Filter filter => EvaluateFilter(filter, scope),
            Test test => EvaluateTest(test, scope),
            Call call => EvaluateCall(call, scope),
            ListDisplay list => new PyList(EvaluateAll(list.Items, scope)),
            TupleDisplay tuple => new PyTuple(EvaluateAll(tuple.Items, scope)),
            DictDisplay dict => EvaluateDict(dict, scope),
            _ => throw JinjaException.Type("a slice stands only between brackets"),
        };
        _budget.Leave();
        return value;
    }

    private object? EvaluateAttribute(Attribute attribute, Scope scope)
    {
        var owner = Evaluate(attribute.Owner, scope);
        _position = attribute.Position;
        return Attributes.Get(owner, attribute.Text, _budget);
    }

    private object? Lookup(string name, Scope scope) =>
        scope.TryGet(name, out var value) || _globals.TryGetValue(name, out value) ? value : Undefined.Name(name);

    private List<object?> EvaluateAll(IReadOnlyList<Expression> items, Scope scope)
    {
        _budget.Elements(items.Count);
        return [.. items.Select(i => Evaluate(i, scope))];
    }

    private PyDict EvaluateDict(DictDisplay display, Scope scope)
    {
        _budget.Elements(display.Items.Count * 4L);
        var result = new PyDict();
        foreach (var (key, value) in display.Items)
        {
            result.Set(Evaluate(key, scope), Evaluate(value, scope));
        }

        return result;
    }

    private object? EvaluateSubscript(Subscript subscript, Scope scope)
    {
        var owner = Evaluate(subscript.Owner, scope);
        if (subscript.Index is SliceIndex slice)
        {
            var start = slice.Start is null ? null : Evaluate(slice.Start, scope);
            var stop = slice.Stop is null ? null : Evaluate(slice.Stop, scope);
            var step = slice.Step is null ? null : Evaluate(slice.Step, scope);
            _position = subscript.Position;
            return owner is Undefined u ? throw u.Error : Sequences.Slice(owner, start, stop, step, _budget);
        }

        var index = Evaluate(subscript.Index, scope);
        _position = subscript.Position;
        return Attributes.GetItem(owner, index, _budget);
    }

    private object? EvaluateBinary(Binary binary, Scope scope)
    {
        var left = Evaluate(binary.Left, scope);
        switch (binary.Operator)
        {
            case "and":
                return Python.IsTrue(left) ? Evaluate(binary.Right, scope) : left;
            case "or":
                return Python.IsTrue(left) ? left : Evaluate(binary.Right, scope);
        }

        var right = Evaluate(binary.Right, scope);
        _position = binary.Position;
        return binary.Operator == "~"
            ? Operators.Concat(Python.ToText(left, _budget), Python.ToText(right, _budget), _budget)
            : Operators.Apply(binary.Operator, left, right, _budget);
    }

    private object EvaluateComparison(Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (op, value) in comparison.Rest)
        {
            var right = Evaluate(value, scope);
            _position = comparison.Position;
            var holds = op switch
            {
                "==" => Comparisons.AreEqual(left, right, _budget),
                "!=" => !Comparisons.AreEqual(left, right, _budget),
                "in" => Comparisons.Contains(right, left, _budget),
                "not in" => !Comparisons.Contains(right, left, _budget),
                "<" => Comparisons.Compare(op, left, right, _budget) < 0,
                "<=" => Comparisons.Compare(op, left, right, _budget) <= 0,
                ">" => Comparisons.Compare(op, left, right, _budget) > 0,
                _ => Comparisons.Compare(op, left, right, _budget) >= 0,
            };
            if (!holds)
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private object? EvaluateUnary(Unary unary, Scope scope)
    {
        var operand = Evaluate(unary.Operand, scope);
        _position = unary.Position;
        return unary.Operator switch
        {
            "not" => !Python.IsTrue(operand),
            "-" => Operators.Negate(operand),
            _ => Operators.Negate(Operators.Negate(operand)),
        };
    }

    private object? EvaluateConditional(Conditional conditional, Scope scope)
    {
        if (Python.IsTrue(Evaluate(conditional.Condition, scope)))
        {
            return Evaluate(conditional.Then, scope);
        }

        return conditional.Else is not null
            ? Evaluate(conditional.Else, scope)
            : new Undefined("the inline if-expression evaluated to false and no else section was defined.");
    }

    private object? EvaluateFilter(Filter filter, Scope scope)
    {
        var input = Evaluate(filter.Input!, scope);
        var arguments = EvaluateArguments(filter.Arguments, scope);
        _position = filter.Position;
        return Filters.Apply(filter.Text, input, arguments, _budget);
    }

    private object EvaluateTest(Test test, Scope scope)
    {
        var input = Evaluate(test.Input, scope);
        var arguments = EvaluateArguments(test.Arguments, scope);
        _position = test.Position;
        return TypeTests.Apply(test.Text, input, arguments, _budget);
    }
}
