// Draws the loss of a pretraining run for the model card, training as running means and validation as dots:
//   dotnet run recipes/base/curve.cs -- RUN CHART.svg
#:project ../../src/Apprentice.Training/Apprentice.Training.csproj
#:property PublishAot=false
using System.Globalization;
using System.Text;
using Apprentice.Training.Runs;

const double Left = 50, Top = 20, Width = 600, Height = 300, Lowest = 1, Highest = 5.5;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var events = EventLog.Read(RunFolder.Open(args[0]).EventsFile);
var train = events.Where(e => e.TrainLoss is not null).Select(e => (e.Step, Loss: e.TrainLoss!.Value)).ToArray();
var valid = events.Where(e => e.ValidLoss is not null).Select(e => (e.Step, Loss: e.ValidLoss!.Value)).ToArray();
var last = train[^1].Step;

var svg = new StringBuilder();
Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 370" font-family="sans-serif" font-size="13" role="img" aria-label="Loss over steps">""");
svg.Append("<style>text { fill: #222 } .grid { stroke: #ccc } @media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #555 } }</style>");
for (var loss = Lowest; loss <= Highest; loss += 0.5)
{
    Add($"""<path class="grid" d="M{Left} {Y(loss):0.#}h{Width}"/><text x="{Left - 8}" y="{Y(loss) + 4:0.#}" text-anchor="end">{loss:0.0}</text>""");
}

for (var step = 0; step <= last; step += 500)
{
    Add($"""<path class="grid" d="M{X(step):0.#} {Top}v{Height}"/><text x="{X(step):0.#}" y="{Top + Height + 18}" text-anchor="middle">{step}</text>""");
}

var means = train.Chunk(10).Select(ten => (Step: ten[^1].Step, Loss: ten.Average(t => t.Loss))).Where(p => p.Loss <= Highest);
Add($"""<polyline points="{string.Join(' ', means.Select(p => $"{X(p.Step):0.#},{Y(p.Loss):0.#}"))}" fill="none" stroke="#3366cc" stroke-width="1.5"/>""");
foreach (var (step, loss) in valid)
{
    Add($"""<circle cx="{X(step):0.#}" cy="{Y(loss):0.#}" r="4" fill="#dc3912"/>""");
}

Add($"""<text x="{Left + Width / 2}" y="{Top + Height + 42}" text-anchor="middle">step; loss in nats a token: training (line, mean of ten steps), held-out text (dots)</text></svg>""");
File.WriteAllText(args[1], svg.Append('\n').ToString());

void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));

double X(double step) => Left + step / last * Width;

double Y(double loss) => Top + (Highest - loss) / (Highest - Lowest) * Height;
