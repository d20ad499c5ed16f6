using System.Diagnostics;
using Apprentice.Data;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Tokenizers.Training;
using Apprentice.Models.Registry;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>tokenizer train</c> does, apart from options and printing.</summary>
internal static class TokenizerWork
{
    public static TokenizerTrainSummary Train(TokenizerTrainRequest request, IProgress<TokenizerTrainingProgress> progress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        Work.RequireFolderOf(request.Out);
        if (File.Exists(request.Out) || (Directory.Exists(request.Out) && Directory.EnumerateFileSystemEntries(request.Out).Any()))
        {
            throw new InputException("out_exists", "something is there already, and is not overwritten", request.Out, hint: "give another --out, or remove it first");
        }

        AtomicFile.RequirePlace(request.Out);
        var template = request.TemplateFile is { } file ? TextFile.Read(file) : null;
        var options = request.Options with { Template = template is null ? null : ChatTemplate.Parse(template, request.TemplateFile!) };
        var trained = TokenizerTrainer.Train(request.Data, options, progress, cancel);
        try
        {
            AtomicDirectory.Write(request.Out, folder => TokenizerFolder.Write(folder, trained.Vocabulary, template));
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(request.Out, inner: e);
        }

        return new TokenizerTrainSummary(
            request.Out,
            trained.Vocabulary.Tokens.Length,
            trained.Vocabulary.Merges.Length,
            trained.Bytes,
            trained.Words,
            trained.Tokens,
            (double)trained.Bytes / trained.Tokens,
            clock.Elapsed.TotalSeconds);
    }
}
