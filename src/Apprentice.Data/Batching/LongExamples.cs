namespace Apprentice.Data.Batching;

/// <summary>What happens to examples that have more tokens than fit.</summary>
public enum LongExamples
{
    /// <summary>The run does not start, and says how many there are and how long: nothing is cut that the user has not agreed to.</summary>
    Stop,

    /// <summary>Left out, counted and said.</summary>
    Drop,

    /// <summary>Cut at the end, counted and said.</summary>
    Truncate,
}
