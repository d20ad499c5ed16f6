namespace Apprentice.Data.Tokenizers;

/// <summary>The syntax tree of a pattern.</summary>
internal abstract record PatternNode
{
    /// <summary>Whether it can match without consuming anything.</summary>
    public abstract bool Nullable { get; }

    /// <summary>The ASCII characters that a match that is not empty can begin with, a bit each; maybe some more.</summary>
    public abstract UInt128 First { get; }

    public sealed record Set(CharacterSet Characters) : PatternNode
    {
        public override bool Nullable => false;

        public override UInt128 First => Characters.Ascii;
    }

    public sealed record Sequence(List<PatternNode> Items) : PatternNode
    {
        public override bool Nullable => Items.TrueForAll(i => i.Nullable);

        public override UInt128 First
        {
            get
            {
                UInt128 first = 0;
                foreach (var item in Items)
                {
                    first |= item.First;
                    if (!item.Nullable)
                    {
                        break;
                    }
                }

                return first;
            }
        }
    }

    public sealed record Alternation(List<PatternNode> Choices) : PatternNode
    {
        public override bool Nullable => Choices.Exists(c => c.Nullable);

        public override UInt128 First => Choices.Aggregate(UInt128.Zero, (first, choice) => first | choice.First);
    }

    /// <param name="Item">What is repeated.</param>
    /// <param name="Min">At least so often.</param>
    /// <param name="Max">At most so often; int.MaxValue for no limit.</param>
    /// <param name="Kind">'g' greedy, 'l' lazy, 'p' possessive.</param>
    public sealed record Repeat(PatternNode Item, int Min, int Max, char Kind) : PatternNode
    {
        public override bool Nullable => Min == 0 || Item.Nullable;

        public override UInt128 First => Item.First;
    }

    public sealed record Lookahead(PatternNode Item, bool Negative) : PatternNode
    {
        public override bool Nullable => true;

        public override UInt128 First => 0;
    }

    public sealed record Atomic(PatternNode Item) : PatternNode
    {
        public override bool Nullable => Item.Nullable;

        public override UInt128 First => Item.First;
    }
}
