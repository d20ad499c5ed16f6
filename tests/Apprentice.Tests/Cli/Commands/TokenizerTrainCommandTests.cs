using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Data.Tokenizers.Training;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Cli.Commands;

public sealed class TokenizerTrainCommandTests : IDisposable
{
    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    /// <summary>Interrupted while it reads or while it learns, it leaves nothing.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.001)]
    public async Task Interrupted_it_leaves_nothing(double learned)
    {
        File.WriteAllText(scratch.File("t.txt"), "some words and others and some more words, some of them other words");
        using var source = new CancellationTokenSource();
        var run = await CommandRun.Of(
            terminal => TokenizerCommand.Create(terminal, (request, progress, cancel) =>
                Task.FromResult(TokenizerWork.Train(request, new Cancelling(source, learned), cancel))),
            ["tokenizer", "train", "--data", scratch.File("t.txt"), "--out", scratch.File("t")],
            source.Token);
        Assert.Equal((130, ""), (run.Exit, run.Output));
        Assert.Equal([scratch.File("t.txt")], Directory.GetFileSystemEntries(scratch.Path));
    }

    private sealed class Cancelling(CancellationTokenSource source, double from) : IProgress<TokenizerTrainingProgress>
    {
        public void Report(TokenizerTrainingProgress value)
        {
            if (value.Learned >= from)
            {
                source.Cancel();
            }
        }
    }
}
