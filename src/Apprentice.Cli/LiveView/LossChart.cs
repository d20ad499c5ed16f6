using Spectre.Console;
using Spectre.Console.Rendering;

namespace Apprentice.Cli.LiveView;

/// <summary>
/// Training and validation loss over steps, drawn with Braille dots (two by four to a character), or in ASCII where the
/// console has no Unicode. Steps that share a column of dots are averaged; an evaluation is a full dot.
/// </summary>
internal sealed class LossChart(int height) : Renderable
{
    private const int LabelWidth = 8;
    private readonly List<(int Step, double Loss)> train = [];
    private readonly List<(int Step, double Loss)> valid = [];

    // Dot (x, y) of a Braille character is this bit (Unicode chapter 21.1).
    private static readonly int[,] Bits = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

    public void Add(int step, double trainLoss, double? validLoss)
    {
        if (double.IsFinite(trainLoss) && (train.Count == 0 || train[^1].Step < step))
        {
            train.Add((step, trainLoss));
        }

        if (validLoss is { } loss && double.IsFinite(loss))
        {
            valid.Add((step, loss));
        }
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var width = maxWidth - LabelWidth - 1;
        if (train.Count < 2 || width < 10)
        {
            yield return Segment.LineBreak;
            yield break;
        }

        var all = train.Concat(valid).Select(p => p.Loss);
        var (low, high) = (all.Min(), all.Max());
        var trainCells = Plot(train, width, low, high);
        var validCells = Plot(valid, width, low, high);
        for (var y = 0; y < height; y++)
        {
            var label = y == 0 ? Format.Loss(high) : y == height - 1 ? Format.Loss(low) : "";
            yield return new Segment(label.PadLeft(LabelWidth) + (options.Unicode ? "│" : "|"), new Style(Color.Grey));
            for (var x = 0; x < width; x++)
            {
                var (t, v) = (trainCells[x, y], validCells[x, y]);
                yield return v != 0 ? new Segment(options.Unicode ? "●" : "o", new Style(Color.Orange1))
                    : t != 0 ? new Segment(options.Unicode ? ((char)(0x2800 + t)).ToString() : ".", new Style(Color.DodgerBlue1))
                    : new Segment(" ");
            }

            yield return Segment.LineBreak;
        }
    }

    private int[,] Plot(List<(int Step, double Loss)> points, int width, double low, double high)
    {
        var (first, last) = (train[0].Step, train[^1].Step);
        var (columns, rows) = (width * 2, height * 4);
        var sums = new double[columns];
        var counts = new int[columns];
        foreach (var (step, loss) in points)
        {
            var column = Math.Clamp((int)((long)(step - first) * (columns - 1) / (last - first)), 0, columns - 1);
            sums[column] += loss;
            counts[column]++;
        }

        var cells = new int[width, height];
        for (var x = 0; x < columns; x++)
        {
            if (counts[x] > 0)
            {
                var share = high > low ? (high - sums[x] / counts[x]) / (high - low) : 0.5;
                var y = Math.Clamp((int)(share * rows), 0, rows - 1);
                cells[x / 2, y / 4] |= Bits[x % 2, y % 4];
            }
        }

        return cells;
    }
}
