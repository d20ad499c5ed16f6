namespace Apprentice.Tensors.Ops;

/// <summary>Point-wise non-linearities.</summary>
public enum Activation
{
    /// <summary>x * sigmoid(x) (Hendrycks and Gimpel 2016; swish).</summary>
    Silu,

    /// <summary>x * Phi(x) with the normal distribution function (Hendrycks and Gimpel 2016).</summary>
    Gelu,

    /// <summary>The tanh form of GELU: x * sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x³).</summary>
    GeluTanh,

    /// <summary>x * sigmoid(1.702 x).</summary>
    GeluQuick,

    /// <summary>max(x, 0)² (So et al. 2021).</summary>
    SquaredRelu,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>tanh(x).</summary>
    Tanh,

    /// <summary>log(1 + exp(x)).</summary>
    Softplus,
}
