namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Names and their values. Loops, macros and blocks have a scope of their own and see those around them.</summary>
internal sealed class Scope(Scope? outer)
{
    private Dictionary<string, object?>? _values;

    public void Set(string name, object? value) => (_values ??= [])[name] = value;

    public bool TryGet(string name, out object? value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values is not null && scope._values.TryGetValue(name, out value))
            {
                return true;
            }
        }

        value = null;
        return false;
    }

    private Scope? Outer { get; } = outer;
}
