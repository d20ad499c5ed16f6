using Apprentice.Data.Datasets;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Quickstart;

/// <summary>One training example as the model sees it, told apart into what it only reads and what it learns to write.</summary>
internal sealed class ExampleParts
{
    public ExampleParts(ModelText text, Example example)
    {
        var tokens = text.ExampleEncoder().Encode(example);
        int[] Part(bool learned) => [.. tokens.Ids.Where((_, i) => (tokens.Weights[i] > 0) == learned)];
        (Read, Learned) = (text.Tokenizer.Decode(Part(false)), text.Tokenizer.Decode(Part(true)));
        (Tokens, LearnedTokens) = (tokens.Ids.Length, tokens.Supervised);
    }

    public string Read { get; }

    public string Learned { get; }

    public int Tokens { get; }

    public int LearnedTokens { get; }
}
