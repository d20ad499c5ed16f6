using System.Diagnostics;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Tokenizers.Training;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>tokenizer train</c> does, apart from options and printing.</summary>
internal static class TokenizerWork
{
    public static TokenizerTrainSummary Train(TokenizerTrainRequest request, IProgress<TokenizerTrainingProgress> progress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        Work.RequireNewFolder(request.Out);
        var template = request.TemplateFile is { } file ? TextFile.Read(file) : null;
        var options = request.Options with { Template = template is null ? null : ChatTemplate.Parse(template, request.TemplateFile!) };
        var trained = TokenizerTrainer.Train(request.Data, options, progress, cancel);
        Work.WriteFolder(request.Out, folder => TokenizerFolder.Write(folder, trained.Vocabulary, template));
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
