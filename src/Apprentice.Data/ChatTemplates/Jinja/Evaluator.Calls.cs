namespace Apprentice.Data.ChatTemplates.Jinja;

// Calls of functions and macros.
internal sealed partial class Evaluator
{
    private Arguments EvaluateArguments(CallArguments written, Scope scope, Macro? caller = null)
    {
        if (ReferenceEquals(written, CallArguments.None) && caller is null)
        {
            return Arguments.None;
        }

        var positional = EvaluateAll(written.Positional, scope);
        if (written.Spread is not null)
        {
            positional.AddRange(Sequences.Iterate(Evaluate(written.Spread, scope), _budget));
        }

        var named = written.Named.Select(n => KeyValuePair.Create(n.Name, Evaluate(n.Value, scope))).ToList();
        if (written.SpreadNamed is not null)
        {
            if (Evaluate(written.SpreadNamed, scope) is not PyDict dict)
            {
                throw JinjaException.Type("argument after ** must be a mapping");
            }

            named.AddRange(dict.Entries.Select(e => KeyValuePair.Create(Python.ToText(e.Key).Text, e.Value)));
        }

        if (caller is not null)
        {
            named.Add(KeyValuePair.Create("caller", (object?)caller));
        }

        return new Arguments(positional, named);
    }

    private object? EvaluateCall(Call call, Scope scope, Macro? caller = null)
    {
        var function = Evaluate(call.Function, scope);
        var arguments = EvaluateArguments(call.Arguments, scope, caller);
        _position = call.Position;
        return function switch
        {
            PyFunction f => f.Call(arguments),
            PyObject { Call: { } invoke } => invoke(arguments),
            Undefined u => throw u.Error,
            _ => throw JinjaException.Type($"'{Python.TypeName(function)}' object is not callable"),
        };
    }

    private object? ExecuteCall(CallBlock block, Scope scope) => EvaluateCall(block.Call, scope, MakeMacro(block.Body, scope));

    private Macro MakeMacro(MacroDefinition definition, Scope definedIn) =>
        new(definition.Name, definition.Signature.Names, arguments => CallMacro(definition, definedIn, arguments));

    private TracedString CallMacro(MacroDefinition definition, Scope definedIn, Arguments arguments)
    {
        _budget.Enter();
        var scope = new Scope(definedIn);
        var (names, defaults) = (definition.Signature.Names, definition.Signature.Defaults);
        Bind(definition, arguments, scope);
        for (var i = 0; i < names.Count; i++)
        {
            if (!arguments.Has(i, names[i]))
            {
                var value = defaults[i] is { } written ? Evaluate(written, scope) : new Undefined($"parameter {Python.Quote(names[i])} was not provided");
                scope.Set(names[i], value);
            }
        }

        // A macro that is handed a message outside any loop writes on that message's behalf.
        var (emitter, isTurnKnown) = (_emitter, _isTurnKnown);
        _isTurnKnown = true;
        if (_emitter == 0 && arguments.Positional.Concat(arguments.Named.Select(n => n.Value)).OfType<PyDict>().FirstOrDefault(d => d.Message > 0) is { } message)
        {
            _emitter = message.Message;
        }

        var result = Capture(definition.Body, scope);
        (_emitter, _isTurnKnown) = (emitter, isTurnKnown);
        _budget.Leave();
        return result;
    }

    private static void Bind(MacroDefinition definition, Arguments arguments, Scope scope)
    {
        var names = definition.Signature.Names;
        for (var i = 0; i < Math.Min(names.Count, arguments.Positional.Count); i++)
        {
            scope.Set(names[i], arguments.Positional[i]);
        }

        if (definition.UsesVarargs)
        {
            scope.Set("varargs", new PyTuple([.. arguments.Positional.Skip(names.Count)]));
        }
        else if (arguments.Positional.Count > names.Count)
        {
            throw JinjaException.Type($"macro {Python.Quote(definition.Name)} takes not more than {names.Count} argument(s)");
        }

        if (definition.UsesCaller)
        {
            scope.Set("caller", new Undefined("No caller defined"));
        }

        var rest = new PyDict();
        foreach (var (name, value) in arguments.Named)
        {
            if (names.Contains(name) || (name == "caller" && definition.UsesCaller))
            {
                scope.Set(name, value);
            }
            else if (definition.UsesKwargs)
            {
                rest.Set(new TracedString(name), value);
            }
            else
            {
                throw JinjaException.Type($"macro {Python.Quote(definition.Name)} takes no keyword argument {Python.Quote(name)}");
            }
        }

        if (definition.UsesKwargs)
        {
            scope.Set("kwargs", rest);
        }
    }
}
