using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Optimizers;

/// <summary>Stochastic gradient descent with momentum (Sutskever et al. 2013), which keeps one buffer a weight, or none without momentum.</summary>
/// <param name="weightDecay">Times the weight, added to its gradient; norms and biases (one dimension) are spared.</param>
public sealed class Sgd(Engine engine, IEnumerable<Weight> weights, double momentum = 0.9, double weightDecay = 0)
    : Optimizer(weights, _ => momentum == 0 ? [] : ["momentum_buffer"])
{
    protected override void Update(Weight weight, Tensor[] state, double learningRate, double gradientScale)
    {
        var decay = weight.Shape.Count > 1 ? weightDecay : 0;
        ParameterUpdate.Sgd(
            engine, weight, state.FirstOrDefault(), new SgdStep(learningRate, momentum, Dampening: 0, decay, Nesterov: false, Steps), gradientScale);
    }
}
