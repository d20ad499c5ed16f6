using System.Text;
using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Generation;

public sealed class TextGeneratorTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly Engine _engine = new(2);
    private readonly LoadedModel _model;

    public TextGeneratorTests() => _model = LoadedModel.Open(TinyModel.Folder(_scratch, seed: 3));

    public void Dispose()
    {
        _model.Dispose();
        _engine.Dispose();
        _scratch.Dispose();
    }

    /// <summary>A random model over bytes writes broken and whole UTF-8 alike: pieces must still add up, and never end in half a character.</summary>
    [Fact]
    public void Streamed_pieces_add_up_to_the_answer()
    {
        var (pieces, done) = (new StringBuilder[8], 0);
        int[][] prompts = [.. Enumerable.Range(0, 8).Select(i => _model.RawPromptIds(new string('a', i + 1)))];
        var answers = new TextGenerator(_model, _engine).Run(
            prompts,
            new SamplingOptions { MaxTokens = 60, Temperature = 1.5, Seed = 2 },
            (i, text) =>
            {
                Assert.NotEmpty(text);
                Assert.False(char.IsHighSurrogate(text[^1]));
                (pieces[i] ??= new StringBuilder()).Append(text);
            },
            _ => done++);
        Assert.Equal(8, done);
        Assert.All(answers.Select((a, i) => (a, i)), x => Assert.Equal(x.a.Text, pieces[x.i]?.ToString() ?? ""));
        Assert.Equal(prompts.Select(p => p.Length), answers.Select(a => a.PromptTokens));
        Assert.All(answers, a => Assert.True(a.FinishReason == "length" ? a.CompletionTokens == 60 : a.CompletionTokens <= 60));
        Assert.Contains(answers, a => a.Text.Contains('\uFFFD', StringComparison.Ordinal));
    }

    [Fact]
    public void A_stop_string_ends_the_answer_before_itself()
    {
        var options = new SamplingOptions { MaxTokens = 40, Temperature = 1.5, Seed = 6 };
        var free = Answer(options);
        Assert.True(free.Text.Length > 12, $"the model wrote only '{free.Text}'");
        var stop = free.Text.Substring(6, 3); // over several tokens
        var stopped = Answer(options with { Stop = ["never", stop] });
        Assert.Equal(free.Text[..free.Text.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.Equal("stop", stopped.FinishReason);
        Assert.True(stopped.CompletionTokens < free.CompletionTokens);
    }

    [Fact]
    public void The_answer_keeps_within_the_context()
    {
        var context = _model.Model.ContextLength;
        var answer = new TextGenerator(_model, _engine).Run([new int[context - 3]], new SamplingOptions { MaxTokens = 50, Temperature = 1.5, Seed = 1 }).Single();
        Assert.InRange(answer.CompletionTokens, 1, 3);
        var error = Assert.Throws<InputException>(() => new TextGenerator(_model, _engine).Run([[1], new int[context]], new SamplingOptions()));
        Assert.Equal("prompt_too_long", error.Code);
        Assert.Contains($"{context}", error.Message, StringComparison.Ordinal);
    }

    private GenerationResult Answer(SamplingOptions options) => new TextGenerator(_model, _engine).Run([_model.RawPromptIds("the")], options).Single();
}
