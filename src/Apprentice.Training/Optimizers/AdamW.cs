using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Optimizers;

/// <summary>The settings of AdamW that do not change during a run.</summary>
/// <param name="DecayVectors">Whether norms and biases (one dimension) are decayed, too.</param>
public sealed record AdamWSettings(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, bool DecayVectors = false);

/// <summary>AdamW (Loshchilov and Hutter 2019), which keeps two moments of each weight's gradient.</summary>
public sealed class AdamW(Engine engine, IEnumerable<Weight> weights, AdamWSettings settings) : Optimizer(weights, _ => StateNames)
{
    internal static readonly string[] StateNames = ["exp_avg", "exp_avg_sq"];

    protected override void Update(Weight weight, Tensor[] state, double learningRate, double gradientScale) =>
        Update(engine, weight, state, settings, Steps, learningRate, gradientScale);

    internal static void Update(Engine engine, Weight weight, Tensor[] state, AdamWSettings settings, int step, double learningRate, double gradientScale)
    {
        var decay = weight.Shape.Count > 1 || settings.DecayVectors ? settings.WeightDecay : 0;
        ParameterUpdate.AdamW(
            engine, weight, state[0], state[1], new AdamWStep(learningRate, settings.Beta1, settings.Beta2, settings.Epsilon, decay, step), gradientScale);
    }
}
