namespace Apprentice.Evaluation.Reports;

/// <summary>
/// A bar for each contender under each metric, with a whisker over its 95% interval. Drawn 340 units wide, so that its
/// letters are readable on a telephone.
/// </summary>
internal static class ComparisonChart
{
    private const double Width = 340, Thickness = 16, Gap = 5, Left = 4, Right = 48, Heading = 26, Foot = 10;

    public static string Draw(Comparison comparison)
    {
        var contenders = comparison.Contenders;
        var group = Heading + contenders.Count * (Thickness + Gap) + Foot;
        var svg = new Svg(Width, group * comparison.Metrics.Count, "Shares of right answers with 95% intervals");
        for (var m = 0; m < comparison.Metrics.Count; m++)
        {
            svg.Text(Left, m * group + 17, comparison.Metrics[m].Label, "strong");
            for (var c = 0; c < contenders.Count; c++)
            {
                var value = contenders[c].Metrics[comparison.Metrics[m].Name];
                var top = m * group + Heading + c * (Thickness + Gap);
                var middle = top + Thickness / 2;
                svg.Bar(Left, top, X(1) - Left, Thickness, "track");
                svg.Bar(Left, top, X(value.Value) - Left, Thickness, $"bar c{c % 4}");
                svg.Line([(X(value.Low), middle), (X(value.High), middle)], "whisker");
                svg.Line([(X(value.Low), middle - 4), (X(value.Low), middle + 4)], "whisker");
                svg.Line([(X(value.High), middle - 4), (X(value.High), middle + 4)], "whisker");
                svg.Text(Width - 4, middle + 4.5, Html.Percent(value.Value), "end");
            }
        }

        return svg.ToString();
    }

    private static double X(double share) => Left + share * (Width - Left - Right);
}
