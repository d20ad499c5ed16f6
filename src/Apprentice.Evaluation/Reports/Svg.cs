using System.Globalization;
using System.Text;

namespace Apprentice.Evaluation.Reports;

/// <summary>A drawing to stand inside a page. Its colours are the page's: elements carry classes, not colours.</summary>
/// <param name="width">In units of the drawing.</param>
/// <param name="height">In units of the drawing.</param>
/// <param name="label">What it shows, for those who cannot see it.</param>
internal sealed class Svg(double width, double height, string label)
{
    private readonly StringBuilder _svg = new();

    public void Text(double x, double y, string text, string style) => Add($"<text x=\"{x:0.#}\" y=\"{y:0.#}\" class=\"{style}\">{Html.Text(text)}</text>\n");

    public void Bar(double x, double y, double length, double thickness, string style) =>
        Add($"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{length:0.#}\" height=\"{thickness:0.#}\" class=\"{style}\"/>\n");

    public void Dot(double x, double y, string style) => Add($"<circle cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"3.5\" class=\"{style}\"/>\n");

    /// <summary>Straight lines from point to point.</summary>
    public void Line(IEnumerable<(double X, double Y)> points, string style) =>
        Add($"<path class=\"{style}\" d=\"M{string.Join('L', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#} {p.Y:0.#}")))}\"/>\n");

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {width:0.#} {height:0.#}\" role=\"img\" aria-label=\"{Html.Text(label)}\">\n{_svg}</svg>\n");

    private void Add(FormattableString element) => _svg.Append(element.ToString(CultureInfo.InvariantCulture));
}
