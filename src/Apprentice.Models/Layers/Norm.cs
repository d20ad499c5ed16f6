using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Layers;

/// <summary>A norm with its weights: [rows, width] to the same shape. Keeps x for backward; its result may be forgotten.</summary>
public delegate Tensor Norm(Tape tape, Tensor x, ForwardInput input);
