using System.Globalization;

namespace Apprentice.Training.Recipes;

/// <summary>The numbers that a field may take, from the usual notation: "[0, 1)" is 0 up to but not including 1; a bound may be left out.</summary>
public sealed record Interval(double Low, bool LowIncluded, double High, bool HighIncluded)
{
    public static Interval Parse(string notation)
    {
        var bounds = notation[1..^1].Split(',', StringSplitOptions.TrimEntries);
        return new(
            bounds[0].Length == 0 ? double.NegativeInfinity : double.Parse(bounds[0], CultureInfo.InvariantCulture), notation[0] == '[',
            bounds[1].Length == 0 ? double.PositiveInfinity : double.Parse(bounds[1], CultureInfo.InvariantCulture), notation[^1] == ']');
    }

    public bool Contains(double value) =>
        (LowIncluded ? value >= Low : value > Low) && (HighIncluded ? value <= High : value < High) && double.IsFinite(value);

    /// <summary>In words: "above 0 and at most 1".</summary>
    public override string ToString()
    {
        var low = double.IsInfinity(Low) ? null : $"{(LowIncluded ? "at least" : "above")} {Low.ToString(CultureInfo.InvariantCulture)}";
        var high = double.IsInfinity(High) ? null : $"{(HighIncluded ? "at most" : "below")} {High.ToString(CultureInfo.InvariantCulture)}";
        return string.Join(" and ", new[] { low, high }.OfType<string>());
    }
}
