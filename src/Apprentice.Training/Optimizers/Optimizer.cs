using System.Globalization;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Training.Optimizers;

/// <summary>Turns gradients into steps over a list of weights, with state of each weight's shape that goes into checkpoints.</summary>
public abstract class Optimizer
{
    private readonly Slot[] _slots;

    /// <param name="stateNames">Of the tensors kept for a weight, as PyTorch calls them; zeros before the first step.</param>
    protected Optimizer(IEnumerable<Weight> weights, Func<Weight, string[]> stateNames) => _slots = [.. weights.Select(w => new Slot(w, stateNames(w)))];

    public IEnumerable<Weight> Weights => _slots.Select(s => s.Weight);

    /// <summary>What a weight's learning rate is multiplied by (LoRA+); 1 where nothing else is said.</summary>
    public Func<Weight, double> RateFactor { get; init; } = _ => 1;

    /// <summary>Steps done.</summary>
    public int Steps { get; private set; }

    /// <summary>One step with the gradients that the weights hold, each times gradientScale.</summary>
    public void Step(double learningRate, double gradientScale = 1)
    {
        Steps++;
        foreach (var slot in _slots)
        {
            Update(slot.Weight, slot.State, learningRate * RateFactor(slot.Weight), gradientScale);
        }
    }

    /// <summary>Writes the state of every weight, as safetensors.</summary>
    public void Save(string path) => SafetensorsWriter.Write(
        path,
        _slots.SelectMany(s => s.State.Select((tensor, i) => new SafetensorsTensor(s.Name(i), [.. s.Weight.Shape], tensor.CopyTo))),
        new Dictionary<string, string> { ["step"] = Steps.ToString(CultureInfo.InvariantCulture) });

    /// <summary>Reads the state back.</summary>
    /// <exception cref="InputException">The file does not fit these weights.</exception>
    public void Load(string path)
    {
        var file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue("step", out var step) || !int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var steps))
        {
            throw new InputException("bad_checkpoint", "the optimizer state does not say its step", path);
        }

        foreach (var slot in _slots)
        {
            for (var i = 0; i < slot.State.Length; i++)
            {
                var values = file.Find(slot.Name(i)) is { } tensor && tensor.Elements == slot.Weight.Count
                    ? file.ReadFloats(tensor.Name)
                    : throw new InputException("bad_checkpoint", $"the optimizer state has no '{slot.Name(i)}' of {slot.Weight.Count} elements", path);
                slot.State[i].SetValues(values);
            }
        }

        Steps = steps;
    }

    /// <summary>Changes one weight; <see cref="Steps"/> counts this step already.</summary>
    /// <param name="state">One tensor for each of the state's names.</param>
    protected abstract void Update(Weight weight, Tensor[] state, double learningRate, double gradientScale);

    private sealed class Slot(Weight weight, string[] stateNames)
    {
        public Weight Weight => weight;

        public Tensor[] State { get; } = [.. stateNames.Select(_ => Tensor.Persistent(weight.Rows, weight.Columns))];

        public string Name(int state) => $"{weight.Name}.{stateNames[state]}";
    }
}
