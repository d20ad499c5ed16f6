using System.Text;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Data.Metrics;
using Apprentice.Evaluation;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Evaluation;

public sealed class EvaluatorTests : IDisposable
{
    private const string Data = """
        {"prompt":"the","completion":"ab"}
        {"prompt":"a b","completion":"aaaa the aaaa"}
        {"prompt":"x","completion":"y z"}
        """;

    private static readonly SamplingOptions Greedy = new() { MaxTokens = 4 };
    private readonly ScratchFolder _scratch = new();
    private readonly Engine _engine = new(2);
    private readonly LoadedModel _model;

    public EvaluatorTests() => _model = LoadedModel.Open(TinyModel.Folder(_scratch));

    public void Dispose()
    {
        _model.Dispose();
        _engine.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void The_loss_is_the_mean_over_all_tokens()
    {
        Metric[] metrics = [Metric.Find("loss")];
        var rows = Run(Data, metrics);
        Assert.All(rows, r => Assert.Null(r.Answer));
        Assert.True(rows[1].Tokens > rows[0].Tokens);
        var value = Evaluator.Summarize(rows, metrics).Metrics["loss"];
        Assert.Equal(rows.Sum(r => r.Scores["loss"] * r.Tokens!.Value) / rows.Sum(r => r.Tokens!.Value), value.Value, 1e-12);
        Assert.InRange(value.Value, value.Low, value.High);

        // Each example by itself: what stands beside it in the batch changes nothing.
        var alone = Data.Split('\n').Select(line => Run(line, metrics).Single().Scores["loss"]);
        Assert.All(rows.Zip(alone), p => Assert.Equal(p.Second, p.First.Scores["loss"], 1e-5));
    }

    [Fact]
    public void Loss_and_answers_come_together_and_a_system_message_changes_both_inputs()
    {
        Metric[] metrics = [Metric.Find("exact_match"), Metric.Find("loss")];
        var rows = Run(Data, metrics);
        Assert.All(rows, r => Assert.Equal(["exact_match", "loss"], r.Scores.Keys));
        Assert.Equal(["the", "a b", "x"], rows.Select(r => r.Prompt));
        var with = Run(Data, metrics, system: "be short");
        Assert.All(rows.Zip(with), p => Assert.NotEqual(p.First.Scores["loss"], p.Second.Scores["loss"]));
        Assert.Equal(rows.Select(r => r.Prompt), with.Select(r => r.Prompt));
        var summary = Evaluator.Summarize(rows, metrics);
        Assert.Equal((3, 0), (summary.Examples, (int)summary.Metrics["exact_match"].Value));
    }

    [Fact]
    public void Raw_leaves_the_template_out_and_plain_text_has_only_a_loss()
    {
        Metric[] loss = [Metric.Find("loss")], match = [Metric.Find("exact_match")];
        Assert.All(Run(Data, loss).Zip(Run(Data, loss, raw: true)), p => Assert.NotEqual(p.First.Scores["loss"], p.Second.Scores["loss"]));
        Assert.Equal(4, Run("""{"text":"aabb"}""", loss).Single().Tokens); // three further letters... and the end
        Assert.Equal("no_prompt", Assert.Throws<InputException>(() => Run("""{"text":"aabb"}""", match)).Code);
        const string Chat = """{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}""";
        Assert.Equal("raw_needs_prompt_completion", Assert.Throws<InputException>(() => Run(Chat, match, raw: true)).Code);
    }

    [Fact]
    public void Rows_are_written_as_json_lines()
    {
        var file = _scratch.File("rows.jsonl");
        File.WriteAllText(file, Evaluator.Rows(Run(Data, [Metric.Find("contains")])));
        var rows = File.ReadAllLines(file).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(["the", "a b", "x"], rows.Select(r => r.GetProperty("prompt").GetString()));
        Assert.All(rows, r => Assert.Equal(JsonValueKind.Number, r.GetProperty("scores").GetProperty("contains").ValueKind));
    }

    [Fact]
    public void A_prompt_or_answer_that_does_not_fit_is_refused()
    {
        var line = $$"""{"prompt":"{{new string('x', 300)}}","completion":"c"}""";
        Assert.Equal("prompt_too_long", Assert.Throws<InputException>(() => Run(line, [Metric.Find("contains")])).Code);
        Assert.Equal("too_long", Assert.Throws<InputException>(() => Run(line, [Metric.Find("loss")])).Code);
    }

    private IReadOnlyList<ScoredAnswer> Run(string data, Metric[] metrics, bool raw = false, string? system = null) => Evaluator.Run(
        _model, _engine, DatasetReader.Read("data.jsonl", Encoding.UTF8.GetBytes(data)).Examples, metrics, Greedy, raw, system);
}
