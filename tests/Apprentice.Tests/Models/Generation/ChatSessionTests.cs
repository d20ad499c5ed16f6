using Apprentice.Data;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Generation;

public sealed class ChatSessionTests : IDisposable
{
    private static readonly SamplingOptions Options = new() { MaxTokens = 12, Temperature = 1, Seed = 5 };
    private readonly ScratchFolder _scratch = new();
    private readonly Engine _engine = new(2);
    private readonly LoadedModel _model;

    public ChatSessionTests() => _model = LoadedModel.Open(TinyModel.Folder(_scratch, seed: 3));

    public void Dispose()
    {
        _model.Dispose();
        _engine.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void What_was_computed_for_one_answer_serves_the_next_and_changes_none()
    {
        var session = new ChatSession(_model, _engine) { System = "be" };
        foreach (var question in new[] { "the card", "a a", "once more the card" })
        {
            var history = session.Messages.ToArray();
            var shown = "";
            var answer = session.Answer(question, Options, piece => shown += piece);
            var alone = new TextGenerator(_model, _engine).Run([_model.PromptIds([.. history, session.Messages[^2]])], Options)[0];
            Assert.Equal((alone.Text, alone.Text, alone.Text), (answer.Text, shown, (string?)session.Messages[^1]["content"]));
            Assert.Equal((alone.PromptTokens, alone.CompletionTokens, alone.FinishReason), (answer.PromptTokens, answer.Generation!.CompletionTokens, answer.Generation.FinishReason));
            Assert.True(history.Length == 1 ? answer.CachedTokens == 0 : answer.CachedTokens >= _model.PromptIds(history[..^1]).Length - 1, $"{answer.CachedTokens} of {answer.PromptTokens} tokens were reused");
        }

        session.System = "another";
        Assert.InRange(session.Answer("x", Options, _ => { }).CachedTokens, 0, "[system]".Length);
        session.Reset();
        Assert.Single(session.Messages);
    }

    [Fact]
    public void An_interrupted_answer_is_kept_as_far_as_it_came_and_the_next_goes_on_from_it()
    {
        var session = new ChatSession(_model, _engine);
        using var stop = new CancellationTokenSource();
        var pieces = 0;
        var answer = session.Answer("the card", Options with { MaxTokens = 100 }, _ =>
        {
            if (++pieces == 5)
            {
                stop.Cancel();
            }
        }, stop.Token);
        Assert.Null(answer.Generation);
        Assert.Equal(5, pieces);
        Assert.Equal(answer.Text, (string?)session.Messages[1]["content"]);
        var next = session.Answer("x", Options, _ => { });
        Assert.Equal(new TextGenerator(_model, _engine).Run([_model.PromptIds([.. session.Messages.Take(3)])], Options)[0].Text, next.Text);

        session.Reset();
        using var before = new CancellationTokenSource();
        before.Cancel();
        Assert.Equal("", session.Answer("the card", Options, _ => { }, before.Token).Text);
        Assert.Empty(session.Messages);
    }

    [Fact]
    public void A_conversation_that_fills_the_context_is_said_and_left_as_it_was()
    {
        var session = new ChatSession(_model, _engine);
        session.Answer("x", Options, _ => { });
        var error = Assert.Throws<InputException>(() => session.Answer(new string('y', 300), Options, _ => { }));
        Assert.Equal("context_full", error.Code);
        Assert.Contains("the model's context is 256", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, session.Messages.Count);
        session.Answer("z", Options, _ => { });
        Assert.Equal(4, session.Messages.Count);
    }

    [Fact]
    public void Without_the_template_the_text_goes_on()
    {
        var session = new ChatSession(_model, _engine, raw: true);
        var first = session.Answer("abc", Options, _ => { });
        Assert.Equal(_model.RawPromptIds("abc").Length, first.PromptTokens);
        Assert.Equal(_model.RawPromptIds($"abc{first.Text}\nd").Length, session.Answer("d", Options, _ => { }).PromptTokens);
    }
}
