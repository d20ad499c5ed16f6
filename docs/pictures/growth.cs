#:property PublishAot=false
// Draws the table of benchmarks/growth as a chart with logarithmic axes: dotnet run growth.cs -- ROWS CHART.svg
// A straight line of slope 1 is growth in proportion; lines are drawn against the first value of each kind.
using System.Globalization;
using System.Text;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const double Left = 60, Top = 20, Width = 480, Height = 340;
string[] colours = ["#3366cc", "#dc3912", "#109618", "#990099", "#e08000"];
var series = File.ReadLines(args[0])
    .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
    .Select(cells => (What: cells[1], Value: double.Parse(cells[2], CultureInfo.InvariantCulture), Seconds: double.Parse(cells[3], CultureInfo.InvariantCulture)))
    .GroupBy(row => row.What)
    .Select(rows => (rows.Key, Points: rows.Select(r => (X: r.Value / rows.First().Value, Y: r.Seconds / rows.First().Seconds)).ToArray()))
    .ToArray();
var (mostX, mostY) = (Power(series.Max(s => s.Points.Max(p => p.X))), Power(series.Max(s => s.Points.Max(p => p.Y))));
var svg = new StringBuilder();
Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 420" font-family="sans-serif" font-size="13">""");
Add($"<style>text {{ fill: #222 }} .grid {{ stroke: #ccc }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .grid {{ stroke: #555 }} }}</style>");
for (var power = 1.0; power <= mostX; power *= 2)
{
    Add($"""<path class="grid" d="M{X(power):0.#} {Top}v{Height}"/><text x="{X(power):0.#}" y="{Top + Height + 18}" text-anchor="middle">{power}</text>""");
}

for (var power = 1.0; power <= mostY; power *= 2)
{
    Add($"""<path class="grid" d="M{Left} {Y(power):0.#}h{Width}"/><text x="{Left - 8}" y="{Y(power) + 4:0.#}" text-anchor="end">{power}</text>""");
}

Add($"""<text x="{Left + Width / 2}" y="{Top + Height + 40}" text-anchor="middle">times as much of it</text>""");
Add($"""<text transform="translate(16 {Top + Height / 2}) rotate(-90)" text-anchor="middle">times as many seconds a step</text>""");
foreach (var (i, (name, points)) in series.Index())
{
    var line = string.Join(' ', points.Select(p => $"{X(p.X):0.#},{Y(p.Y):0.#}"));
    Add($"""<polyline points="{line}" fill="none" stroke="{colours[i % colours.Length]}" stroke-width="2"/>""");
    foreach (var (x, y) in points)
    {
        Add($"""<circle cx="{X(x):0.#}" cy="{Y(y):0.#}" r="3.5" fill="{colours[i % colours.Length]}"/>""");
    }

    Add($"""<rect x="{Left + Width + 20}" y="{Top + 10 + i * 24}" width="14" height="14" fill="{colours[i % colours.Length]}"/><text x="{Left + Width + 42}" y="{Top + 22 + i * 24}">{name}</text>""");
}

Add($"</svg>");
File.WriteAllText(args[1], svg.ToString());

double X(double value) => Left + Width * Math.Log(value) / Math.Log(mostX);
double Y(double value) => Top + Height - Height * Math.Max(0, Math.Log(value)) / Math.Log(mostY);
static double Power(double value) => Math.Pow(2, Math.Ceiling(Math.Log2(value)));
void Add(FormattableString line) => svg.AppendLine(line.ToString(CultureInfo.InvariantCulture));
