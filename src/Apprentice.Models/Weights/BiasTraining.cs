namespace Apprentice.Models.Weights;

/// <summary>Which biases of the base are trained beside an adapter, in PEFT's words.</summary>
public enum BiasTraining
{
    None,

    /// <summary>Every bias of the model.</summary>
    All,

    /// <summary>Those of the layers that have an adapter.</summary>
    LoraOnly,
}
