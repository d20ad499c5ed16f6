using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Optimizers;

/// <summary>
/// Muon (Jordan 2024) for the matrices inside the model, in steps of AdamW's size (Liu et al. 2025), and AdamW for the
/// embeddings, norms and biases, all at one learning rate.
/// </summary>
public sealed class Muon : Optimizer
{
    private readonly Engine _engine;
    private readonly IReadOnlySet<Weight> _matrices;
    private readonly double _momentum;
    private readonly AdamWSettings _settings;
    private readonly Tensor? _scratch;

    /// <param name="matrices">Those of the weights that Muon moves.</param>
    /// <param name="momentum">How slowly the mean of the gradients forgets.</param>
    /// <param name="settings">Of AdamW; the weight decay is everyone's.</param>
    public Muon(Engine engine, IEnumerable<Weight> weights, IReadOnlySet<Weight> matrices, double momentum, AdamWSettings settings)
        : base(weights, weight => matrices.Contains(weight) ? ["momentum_buffer"] : AdamW.StateNames)
    {
        (_engine, _matrices, _momentum, _settings) = (engine, matrices, momentum, settings);
        _scratch = matrices.Count == 0 ? null : Tensor.Persistent(1, checked((int)matrices.Max(Orthogonalization.ScratchFloats)));
    }

    protected override void Update(Weight weight, Tensor[] state, double learningRate, double gradientScale)
    {
        if (_matrices.Contains(weight))
        {
            var step = new MuonStep(learningRate, _momentum, _settings.WeightDecay, Nesterov: true, MatchAdam: true);
            Orthogonalization.Muon(_engine, weight, state[0], _scratch!, step, gradientScale);
        }
        else
        {
            AdamW.Update(_engine, weight, state, _settings, Steps, learningRate, gradientScale);
        }
    }
}
