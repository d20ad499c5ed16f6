namespace Apprentice.Cli.Commands;

/// <summary><c>tokenizer</c>: what is done with a tokenizer on its own.</summary>
internal static class TokenizerCommand
{
    public static Verb Create(Terminal terminal, TokenizerTrainCommand.Work train) => new(
        "tokenizer", "Make a tokenizer of your own.", "apprentice tokenizer train --data texts.jsonl --out my-tokenizer")
    {
        TokenizerTrainCommand.Create(terminal, train),
    };
}
