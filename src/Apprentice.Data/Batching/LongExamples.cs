namespace Apprentice.Data.Batching;

/// <summary>What happens to examples that have more tokens than fit.</summary>
public enum LongExamples
{
    /// <summary>The run stops with the numbers: nothing is cut that the user has not agreed to.</summary>
    Stop,

    /// <summary>The end is cut off.</summary>
    Truncate,

    /// <summary>The example is left out.</summary>
    Drop,
}
