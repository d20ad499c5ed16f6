namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// Runs a template's statements. Whatever is written carries its <see cref="Origin"/>: what it was copied from, and the
/// message in whose turn of a loop it was written.
/// </summary>
internal sealed partial class Evaluator
{
    private readonly Budget _budget;
    private readonly Dictionary<string, object?> _globals;
    private Position _position;
    private TracedStringBuilder _out = new();

    /// <summary>One-based number of the message whose turn it is, or 0.</summary>
    private int _emitter;

    /// <summary>Whether the innermost loop knows which message its turn belongs to.</summary>
    private bool _isTurnKnown = true;

    private int _generation;
    private int _generations;

    private Evaluator(Budget budget, DateTimeOffset now)
    {
        _budget = budget;
        _globals = Globals.Create(budget, now);
    }

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    public static TracedString Render(IReadOnlyList<Statement> template, IEnumerable<KeyValuePair<string, object?>> variables, Budget budget, DateTimeOffset now)
    {
        var evaluator = new Evaluator(budget, now);
        var scope = new Scope(null);
        foreach (var (name, value) in variables)
        {
            scope.Set(name, value);
        }

        try
        {
            evaluator.Execute(template, scope);
        }
        catch (JinjaException e) when (e.Position is null)
        {
            e.Position = evaluator._position;
            throw;
        }

        return evaluator._out.ToTraced();
    }

    private Flow Execute(IReadOnlyList<Statement> statements, Scope scope)
    {
        foreach (var statement in statements)
        {
            var flow = Execute(statement, scope);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    private Flow Execute(Statement statement, Scope scope)
    {
        _budget.Enter();
        _budget.Step();
        _position = statement.Position;
        var flow = Flow.Next;
        switch (statement)
        {
            case Data data:
                Write(data.Text);
                break;
            case Print print:
                Write(Python.ToText(Evaluate(print.Value, scope), _budget));
                break;
            case If branches:
                flow = ExecuteIf(branches, scope);
                break;
            case For loop:
                Loop(loop, Sequences.Iterate(Evaluate(loop.Items, scope), _budget), 0, scope);
                break;
            case Break:
                flow = Flow.Break;
                break;
            case Continue:
                flow = Flow.Continue;
                break;
            case Set set:
                Assign(set.Target, Evaluate(set.Value, scope), scope);
                break;
            case SetBlock set:
                Assign(set.Target, ApplyAll(set.Filters, Capture(set.Body, new Scope(scope)), scope), scope);
                break;
            case MacroDefinition macro:
                scope.Set(macro.Name, MakeMacro(macro, scope));
                break;
            case CallBlock call:
                Write(Python.ToText(ExecuteCall(call, scope), _budget));
                break;
            case FilterBlock filter:
                Write(Python.ToText(ApplyAll(filter.Filters, Capture(filter.Body, new Scope(scope)), scope), _budget));
                break;
            case With with:
                var inner = new Scope(scope);
                foreach (var (target, value) in with.Bindings)
                {
                    Assign(target, Evaluate(value, scope), inner);
                }

                flow = Execute(with.Body, inner);
                break;
            case Block block:
                flow = Execute(block.Body, new Scope(scope));
                break;
            case Generation generation:
                var outer = _generation;
                _generation = ++_generations;
                flow = Execute(generation.Body, new Scope(scope));
                _generation = outer;
                break;
            case Unsupported unsupported:
                throw JinjaException.Type(unsupported.Message);
        }

        _budget.Leave();
        return flow;
    }

    private void Write(TracedString text)
    {
        _budget.Characters(text.Text.Length);
        _out.Append(text, _emitter, _generation);
    }

    /// <summary>Runs statements and gives what they write instead of writing it.</summary>
    private TracedString Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        var outer = _out;
        _out = new TracedStringBuilder();
        Execute(body, scope);
        var result = _out.ToTraced();
        _out = outer;
        return result;
    }

    private Flow ExecuteIf(If statement, Scope scope)
    {
        foreach (var (condition, body) in statement.Branches)
        {
            if (Python.IsTrue(Evaluate(condition, scope)))
            {
                return Execute(body, scope);
            }
        }

        return Execute(statement.Else, scope);
    }

    private object? ApplyAll(IReadOnlyList<Filter> filters, object? value, Scope scope)
    {
        foreach (var filter in filters)
        {
            value = Filters.Apply(filter.Text, value, EvaluateArguments(filter.Arguments, scope), _budget);
        }

        return value;
    }

    private void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case Name name:
                scope.Set(name.Text, value);

                // {% for i in range(…) %}{% set message = messages[i] %}: now it is known whose turn this is.
                if (!_isTurnKnown && value is PyDict { Message: > 0 } message)
                {
                    _emitter = message.Message;
                    _isTurnKnown = true;
                }

                break;
            case Attribute attribute:
                if (Evaluate(attribute.Owner, scope) is not Namespace owner)
                {
                    throw JinjaException.Type("cannot assign attribute on non-namespace object");
                }

                owner.Set(attribute.Text, value);
                break;
            case TupleDisplay tuple:
                var values = Sequences.Iterate(value, _budget);
                if (values.Count != tuple.Items.Count)
                {
                    throw JinjaException.Type(values.Count > tuple.Items.Count
                        ? $"too many values to unpack (expected {tuple.Items.Count})"
                        : $"not enough values to unpack (expected {tuple.Items.Count}, got {values.Count})");
                }

                for (var i = 0; i < values.Count; i++)
                {
                    Assign(tuple.Items[i], values[i], scope);
                }

                break;
        }
    }

    private void Loop(For statement, IReadOnlyList<object?> items, int depth, Scope scope)
    {
        if (statement.Condition is not null)
        {
            items = [.. items.Where(item =>
            {
                var inner = new Scope(scope);
                var wasKnown = _isTurnKnown;
                _isTurnKnown = true;
                Assign(statement.Target, item, inner);
                _isTurnKnown = wasKnown;
                return Python.IsTrue(Evaluate(statement.Condition, inner));
            })];
        }

        var (outerEmitter, outerKnown) = (_emitter, _isTurnKnown);
        var state = new LoopState(items, depth, inner => Capture(statement, inner, depth + 1, scope), _budget);
        for (var i = 0; i < items.Count; i++)
        {
            _budget.Elements(2);
            state.Index = i;
            var inner = new Scope(scope);
            inner.Set("loop", state.Object);
            var start = _out.Length;
            (_emitter, _isTurnKnown) = (outerEmitter, false);
            Assign(statement.Target, items[i], inner);
            var flow = Execute(statement.Body, inner);
            if (_emitter == 0)
            {
                // {% for i in range(…) %}{{ messages[i].content }}: what was written tells.
                _out.StampWithItsOnlyMessage(start);
            }

            if (flow == Flow.Break)
            {
                break;
            }
        }

        (_emitter, _isTurnKnown) = (outerEmitter, outerKnown);
        if (items.Count == 0)
        {
            Execute(statement.Else, new Scope(scope));
        }
    }

    private TracedString Capture(For statement, object? items, int depth, Scope scope)
    {
        _budget.Enter();
        var outer = _out;
        _out = new TracedStringBuilder();
        Loop(statement, Sequences.Iterate(items, _budget), depth, scope);
        var result = _out.ToTraced();
        _out = outer;
        _budget.Leave();
        return result;
    }
}
