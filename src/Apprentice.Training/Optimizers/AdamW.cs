using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Optimizers;

/// <summary>The settings of AdamW that do not change during a run.</summary>
/// <param name="DecayVectors">Whether norms and biases (one dimension) are decayed, too.</param>
public sealed record AdamWSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, bool DecayVectors = false);

/// <summary>AdamW over a list of weights, with two moments for each that go into checkpoints.</summary>
public sealed class AdamW
{
    private readonly Engine _engine;
    private readonly AdamWSettings _settings;
    private readonly (Weight Weight, Tensor First, Tensor Second)[] _slots;

    public AdamW(Engine engine, IEnumerable<Weight> weights, AdamWSettings settings)
    {
        _engine = engine;
        _settings = settings;
        _slots = [.. weights.Select(w => (w, Tensor.Persistent(w.Rows, w.Columns), Tensor.Persistent(w.Rows, w.Columns)))];
    }

    public IEnumerable<Weight> Weights => _slots.Select(s => s.Weight);

    /// <summary>Steps done.</summary>
    public int Steps { get; private set; }

    /// <summary>One step with the gradients that the weights hold, each times gradientScale.</summary>
    public void Step(double learningRate, double gradientScale = 1)
    {
        Steps++;
        foreach (var (weight, first, second) in _slots)
        {
            var decay = weight.Shape.Count > 1 || _settings.DecayVectors ? _settings.WeightDecay : 0;
            ParameterUpdate.AdamW(
                _engine, weight, first, second, new AdamWStep(learningRate, _settings.Beta1, _settings.Beta2, _settings.Epsilon, decay, Steps), gradientScale);
        }
    }

    /// <summary>Writes both moments of every weight.</summary>
    public void Save(string path) => SafetensorsWriter.Write(
        path,
        _slots.SelectMany(s => new[]
        {
            new SafetensorsTensor(s.Weight.Name + ".exp_avg", [.. s.Weight.Shape], s.First.CopyTo),
            new SafetensorsTensor(s.Weight.Name + ".exp_avg_sq", [.. s.Weight.Shape], s.Second.CopyTo),
        }),
        new Dictionary<string, string> { ["step"] = Steps.ToString(System.Globalization.CultureInfo.InvariantCulture) });

    /// <summary>Reads the moments back.</summary>
    /// <exception cref="InputException">The file does not fit these weights.</exception>
    public void Load(string path)
    {
        var file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue("step", out var step) || !int.TryParse(step, System.Globalization.CultureInfo.InvariantCulture, out var steps))
        {
            throw new InputException("bad_checkpoint", "the optimizer state does not say its step", path);
        }

        foreach (var (weight, first, second) in _slots)
        {
            first.SetValues(file.ReadFloats(weight.Name + ".exp_avg"));
            second.SetValues(file.ReadFloats(weight.Name + ".exp_avg_sq"));
        }

        Steps = steps;
    }
}
