using System.Runtime.CompilerServices;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// What one rendering may cost. Templates come from strangers, so everything that takes time or memory is paid from one
/// purse: an evaluated node costs 1, a list element 4, four characters 1. Counted, not timed: the same template and
/// messages always end the same way.
/// </summary>
internal sealed class Budget(long inputCharacters)
{
    public const int MaxDepth = 600;
    public const int MaxIntegerBits = 4096;

    private long _left = 2_000_000 + 32 * inputCharacters;
    private int _depth;

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
        _left -= cost;
        if (_left < 0 || cost < 0)
        {
            throw JinjaException.Limit("the template does more work or makes more text than a chat template may");
        }
    }
}
