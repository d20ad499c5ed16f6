using System.Globalization;
using Apprentice.Training.Runs;

namespace Apprentice.Evaluation.Reports;

/// <summary>Training loss over steps as a line through running means, the single steps faint behind it; validation as dots.</summary>
internal static class LossChart
{
    private const double Width = 340, Height = 210, Left = 38, Right = 10, Top = 10, Bottom = 34;
    private const int Lines = 4;

    /// <summary>The picture, or a sentence where there are fewer than two steps to draw.</summary>
    public static string Draw(IReadOnlyList<RunEvent> events)
    {
        var train = Points(events, e => e.TrainLoss);
        var valid = Points(events, e => e.ValidLoss);
        if (train.Length < 2)
        {
            return "<p>The run was too short for a curve.</p>\n";
        }

        var (first, last) = (train[0].Step, train[^1].Step);
        var high = NiceCeiling(train.Concat(valid).Max(p => p.Loss));
        var svg = new Svg(Width, Height, "Training and validation loss over steps");
        for (var i = 0; i <= Lines; i++)
        {
            var loss = high * i / Lines;
            svg.Line([(Left, Y(loss)), (Width - Right, Y(loss))], "grid");
            svg.Text(Left - 5, Y(loss) + 4, loss.ToString("0.###", CultureInfo.InvariantCulture), "end");
        }

        svg.Text(Left, Height - 18, first.ToString(CultureInfo.InvariantCulture), "");
        svg.Text((Left + Width - Right) / 2, Height - 18, "step", "middle");
        svg.Text(Width - Right, Height - 18, last.ToString(CultureInfo.InvariantCulture), "end");
        svg.Line(train.Select(Place), "faint");
        svg.Line(Smooth(train).Select(Place), "line");
        foreach (var (x, y) in valid.Select(Place))
        {
            svg.Dot(x, y, "dot");
        }

        return svg.ToString();

        (double X, double Y) Place((int Step, double Loss) point) =>
            (Left + (double)(point.Step - first) / (last - first) * (Width - Left - Right), Y(point.Loss));

        double Y(double loss) => Top + (1 - loss / high) * (Height - Top - Bottom);
    }

    private static (int Step, double Loss)[] Points(IReadOnlyList<RunEvent> events, Func<RunEvent, double?> loss) =>
        [.. events.Where(e => loss(e) is { } value && double.IsFinite(value)).Select(e => (e.Step, loss(e)!.Value))];

    /// <summary>Mean over the steps around each, a twentieth of the run.</summary>
    private static IEnumerable<(int Step, double Loss)> Smooth((int Step, double Loss)[] points)
    {
        var reach = points.Length / 40;
        return points.Select((p, i) => (p.Step, points[Math.Max(0, i - reach)..Math.Min(points.Length, i + reach + 1)].Average(q => q.Loss)));
    }

    /// <summary>The next number a little above whose quarters are short: 1.2, 1.6, 2 and so on times a power of ten.</summary>
    private static double NiceCeiling(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-6))));
        return new[] { 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 }.First(step => step * power >= value) * power;
    }
}
