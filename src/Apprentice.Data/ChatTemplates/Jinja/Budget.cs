using System.Runtime.CompilerServices;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// What one rendering may cost. Templates come from strangers, so everything that takes time or memory is paid from one
/// purse: an evaluated node costs 1, a list element 4, four characters 1. Counted, not timed: the same template and
/// messages always end the same way.
/// </summary>
internal sealed class Budget(long steps)
{
    public const int MaxDepth = 600;
    public const int MaxIntegerBits = 4096;

    private long _spent;
    private int _depth;

    /// <summary>What has been paid so far.</summary>
    public long Spent => Math.Min(_spent, steps);

    /// <summary>What rendering values with that much text in them may cost.</summary>
    public static long For(long inputCharacters) => 1_000_000 + (32 * inputCharacters);

    public void Step() => Pay(1);

    public void Elements(long count) => Pay(4 * count);

    public void Characters(long count) => Pay(count / 4 + 1);

    public void Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw JinjaException.Limit($"the template nests deeper than {MaxDepth} levels");
        }
    }

    public void Leave() => _depth--;

    private void Pay(long cost)
    {
        _spent += cost;
        if (cost < 0 || _spent > steps)
        {
            throw JinjaException.Limit("the template does more work or makes more text than a chat template may");
        }
    }
}
