using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>What may follow <c>is</c>, and be named to <c>select</c>, <c>reject</c> and their kin.</summary>
internal static class TypeTests
{
    private static readonly Dictionary<string, Func<object?, Arguments, Budget, bool>> Tests = new()
    {
        ["defined"] = (v, _, _) => v is not Undefined,
        ["undefined"] = (v, _, _) => v is Undefined,
        ["none"] = (v, _, _) => v is null,
        ["true"] = (v, _, _) => v is true,
        ["false"] = (v, _, _) => v is false,
        ["boolean"] = (v, _, _) => v is bool,
        ["integer"] = (v, _, _) => v is BigInteger,
        ["float"] = (v, _, _) => v is double,
        ["number"] = (v, _, _) => Operators.IsNumber(v),
        ["string"] = (v, _, _) => v is TracedString,
        ["mapping"] = (v, _, _) => v is PyDict,
        ["iterable"] = (v, _, _) => v is TracedString or PyDict or PySequence or Undefined,
        ["sequence"] = (v, _, _) => v is TracedString or PyDict or Undefined || (v is PySequence and not PyGenerator and not PyDictView),
        ["callable"] = (v, _, _) => v is PyFunction or PyObject { Call: not null },
        ["escaped"] = (v, _, _) => v is TracedString { IsMarkup: true },
        ["lower"] = (v, _, _) => Python.ToText(v).Text is var s && s.Any(char.IsLetter) && s == s.ToLowerInvariant(),
        ["upper"] = (v, _, _) => Python.ToText(v).Text is var s && s.Any(char.IsLetter) && s == s.ToUpperInvariant(),
        ["odd"] = (v, _, b) => Comparisons.AreEqual(Operators.Apply("%", v, new BigInteger(2), b), BigInteger.One, b),
        ["even"] = (v, _, b) => Comparisons.AreEqual(Operators.Apply("%", v, new BigInteger(2), b), BigInteger.Zero, b),
        ["divisibleby"] = (v, a, b) => Comparisons.AreEqual(Operators.Apply("%", v, a.Require(0, "num"), b), BigInteger.Zero, b),
        ["in"] = (v, a, b) => Comparisons.Contains(a.Require(0, "seq"), v, b),
        ["sameas"] = (v, a, _) => a.Require(0, "other") is var o && (ReferenceEquals(v, o) || (v is bool x && o is bool y && x == y)),
        ["filter"] = (v, _, _) => v is TracedString s && Filters.Exists(s.Text),
        ["test"] = (v, _, _) => v is TracedString s && Exists(s.Text),
        ["eq"] = (v, a, b) => Comparisons.AreEqual(v, a.Require(0, "other"), b),
        ["ne"] = (v, a, b) => !Comparisons.AreEqual(v, a.Require(0, "other"), b),
        ["lt"] = (v, a, b) => Comparisons.Compare("<", v, a.Require(0, "other"), b) < 0,
        ["le"] = (v, a, b) => Comparisons.Compare("<=", v, a.Require(0, "other"), b) <= 0,
        ["gt"] = (v, a, b) => Comparisons.Compare(">", v, a.Require(0, "other"), b) > 0,
        ["ge"] = (v, a, b) => Comparisons.Compare(">=", v, a.Require(0, "other"), b) >= 0,
    };

    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["=="] = "eq", ["equalto"] = "eq", ["!="] = "ne", ["<"] = "lt", ["lessthan"] = "lt", ["<="] = "le", [">"] = "gt", ["greaterthan"] = "gt", [">="] = "ge",
    };

    public static bool Exists(string name) => Tests.ContainsKey(OtherNames.GetValueOrDefault(name, name));

    public static bool Apply(string name, object? value, Arguments arguments, Budget budget) =>
        Tests.TryGetValue(OtherNames.GetValueOrDefault(name, name), out var test)
            ? test(value, arguments, budget)
            : throw new JinjaException(JinjaError.Syntax, $"No test named {Python.Quote(name)}.");
}
