namespace Apprentice.Tests.EndToEnd;

/// <summary>The main job as a user meets it, on the tiny model: train, then ask the run.</summary>
[Trait("Category", "EndToEnd")]
public sealed class TrainTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Theory]
    [InlineData("lora", "--learning-rate 1e-2 --rank 8")]
    [InlineData("full", "--learning-rate 5e-3")]
    public async Task A_model_learns_its_examples_and_its_run_answers_as_they_do(string method, string options)
    {
        var run = await work.Done($"train --model m --data bank.jsonl --out runs/bank --method {method} {options} --max-steps 60 --batch-size 6 --validation none");
        Assert.Equal("runs/bank", run.GetProperty("run").GetString());
        Assert.Equal(("succeeded", 60, 60.0), (run.GetProperty("status").GetString(), run.GetProperty("steps").GetInt32(), run.GetProperty("epochs").GetDouble()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, run.GetProperty("valid_loss").ValueKind);
        foreach (var figure in new[] { "train_loss", "examples_per_second", "tokens_per_second", "peak_memory_bytes", "duration_seconds", "trainable_parameters" })
        {
            Assert.True(run.GetProperty(figure).GetDouble() > 0, figure);
        }

        // The run folder as the contract says.
        foreach (var file in new[] { "recipe.yaml", "lock.json", "state.json", "events.jsonl", "checkpoints/step-000060/optimizer.safetensors", "checkpoints/step-000060/state.json" })
        {
            Assert.True(File.Exists(work.In("runs/bank", file)), file);
        }

        Assert.Equal(("succeeded", 60), ((string?)work.ReadJson("runs/bank/state.json")["status"], (int?)work.ReadJson("runs/bank/state.json")["step"]));
        Assert.Equal(60, File.ReadLines(work.In("runs/bank/events.jsonl")).Count());
        Assert.Equal(method == "lora", File.Exists(work.In("runs/bank/adapter/adapter_model.safetensors")));
        Assert.Equal(method == "full", File.Exists(work.In("runs/bank/model/model.safetensors")) && File.Exists(work.In("runs/bank/model/tokenizer.json")));
        if (method == "lora")
        {
            Assert.Equal("m", (string?)work.ReadJson("runs/bank/adapter/adapter_config.json")["base_model_name_or_path"]);
        }

        var evaluated = await work.Done("evaluate --model runs/bank --data bank.jsonl --metric exact_match --max-tokens 12 --out rows.jsonl");
        Assert.Equal(6, evaluated.GetProperty("examples").GetInt32());
        var match = evaluated.GetProperty("metrics").GetProperty("exact_match");
        Assert.Equal((1.0, true, 1.0), (match.GetProperty("value").GetDouble(), match.GetProperty("low").GetDouble() < 1, match.GetProperty("high").GetDouble()));
        var row = System.Text.Json.JsonDocument.Parse(File.ReadLines(work.In("rows.jsonl")).First()).RootElement;
        Assert.Equal(("my card is lost", "lost_card", "lost_card"), (row.GetProperty("prompt").GetString(), row.GetProperty("expected").GetString(), row.GetProperty("answer").GetString()));
        Assert.Equal(1, row.GetProperty("scores").GetProperty("exact_match").GetDouble());
    }

    [Theory]
    [InlineData("chat", """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"a QQ"},{"role":"assistant","content":"yes","weight":0},{"role":"user","content":"b"},{"role":"assistant","content":"no"}]}""")]
    [InlineData("instruction", """{"instruction":"Classify.","input":"a QQ","output":"yes"}""")]
    [InlineData("sharegpt", """{"conversations":[{"from":"human","value":"a QQ"},{"from":"gpt","value":"yes"}]}""")]
    [InlineData("text", """{"text":"the text QQ"}""")]
    [InlineData("prompt-completion", """{"prompt":"a QQ","completion":"yes"}""")]
    [InlineData("raw", """{"prompt":"a QQ","completion":"yes"}""")]
    public async Task Every_format_trains(string format, string line)
    {
        File.WriteAllLines(work.In("d.jsonl"), Enumerable.Range(0, 12).Select(i => line.Replace("QQ", $"{i}", StringComparison.Ordinal)));
        var run = await work.Done($"train --model m --data d.jsonl --out r --max-steps 2 --batch-size 4 {(format == "raw" ? "--raw" : "")}");
        Assert.Equal("succeeded", run.GetProperty("status").GetString());
        Assert.True(run.GetProperty("valid_loss").GetDouble() > 0);
    }

    [Fact]
    public async Task Fields_of_other_names_are_mapped_and_sgd_is_another_optimizer()
    {
        work.WriteLines("named.jsonl", Workplace.Bank.Select(b => new { Question = b.Prompt, Label = b.Completion }));
        const string Options = "--max-steps 4 --batch-size 6 --validation none";
        await work.Done($"train --model m --data bank.jsonl --out usual {Options}");
        await work.Done($"train --model m --data named.jsonl --columns prompt=question,completion=label --out mapped {Options}");
        work.AssertSameBits("usual", "mapped");
        await work.Done($"train --model m --data bank.jsonl --out sgd --optimizer sgd {Options}");
        Assert.Equal(work.Losses("usual")[0].Split("lr")[0], work.Losses("sgd")[0].Split("lr")[0]);
        Assert.NotEqual(work.Losses("usual")[3].Split("lr")[0], work.Losses("sgd")[3].Split("lr")[0]);
    }

    [Fact]
    public async Task Held_out_examples_come_as_a_share_or_a_file_and_stop_the_run_early()
    {
        work.WriteLines("held.jsonl", Workplace.Bank.Select(b => new { b.Prompt, Completion = "zzz" }));
        var run = await work.Done("train --model m --data bank.jsonl --validation held.jsonl --out file --max-steps 200 --batch-size 6 --learning-rate 2e-2 --evaluate-every 2 --early-stopping 2");
        var steps = run.GetProperty("steps").GetInt32();
        Assert.InRange(steps, 4, 199);
        Assert.Contains("stopped early", (string?)work.ReadJson("file/state.json")["reason"], StringComparison.Ordinal);

        // What is published is the best, two evaluations before the end.
        Assert.Equal(File.ReadAllBytes(work.In($"file/checkpoints/step-{steps - 4:D6}/adapter_model.safetensors")), File.ReadAllBytes(work.In("file/adapter/adapter_model.safetensors")));

        var share = await work.Run("train --model m --data bank.jsonl --validation 0.34 --out share --max-steps 2");
        Assert.Equal(0, share.Exit);
        Assert.Contains("4 examples (prompt/completion)", share.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("step 0/2  epoch", share.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Threads_and_recomputation_change_no_bit_and_small_pieces_only_rounding()
    {
        const string Train = "train --model m --data bank.jsonl --max-steps 6 --batch-size 6 --dropout 0.1 --label-smoothing 0.1 --validation none";
        await work.Done($"{Train} --out one --threads 1 --recompute off");
        await work.Done($"{Train} --out two --threads 2 --recompute on");
        work.AssertSameBits("one", "two");

        // In float32: the accelerator takes pieces that are large enough, so cutting changes what is rounded to bfloat16.
        const string Plain = "train --model m --data bank.jsonl --max-steps 6 --batch-size 6 --validation none --accelerator off";
        var whole = await work.Done($"{Plain} --out whole");
        var pieces = await work.Done($"{Plain} --out pieces --micro-batch-tokens 50");
        Assert.Equal(whole.GetProperty("train_loss").GetDouble(), pieces.GetProperty("train_loss").GetDouble(), 1e-5);
    }

    [Fact]
    public async Task Over_long_examples_stop_the_run_or_are_cut_or_dropped_and_counted()
    {
        work.WriteLines("long.jsonl", Workplace.Bank.Append((Prompt: "short", Completion: new string('x', 100))).Select(b => new { b.Prompt, b.Completion }));
        const string Train = "train --model m --data long.jsonl --validation none --max-steps 1 --max-length 80";
        Assert.Contains("1 of 7 examples have more than 80 tokens", await work.Refused($"{Train} --out a"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(work.In("a")));
        Assert.Contains("1 truncated, 0 dropped", (await work.Run($"{Train} --out b --over-long truncate")).Error, StringComparison.Ordinal);
        Assert.Contains("0 truncated, 1 dropped", (await work.Run($"{Train} --out c --over-long drop")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_recipe_of_a_run_trains_the_same_run_again_elsewhere_and_never_over_it()
    {
        await work.Done("train --model m --data bank.jsonl --out one --max-steps 3");
        Assert.Contains("never overwritten", await work.Refused("train one/recipe.yaml"), StringComparison.Ordinal);
        await work.Done("train one/recipe.yaml --out two");
        work.AssertSameBits("one", "two");
    }

    [Fact]
    public async Task A_loss_that_is_no_number_fails_the_run_and_names_the_step()
    {
        using var broken = new Workplace(broken: (byte)'~');
        broken.WriteLines("nan.jsonl", Enumerable.Range(0, 12).Select(i => new { Prompt = i == 5 ? "~" : $"{i}", Completion = "yes" }));
        var run = await broken.Run("train --model m --data nan.jsonl --out r --batch-size 1 --validation none --checkpoint-every 1 --epochs 1");
        Assert.Equal((1, ""), (run.Exit, run.Output));
        var state = broken.ReadJson("r/state.json");
        var step = (int)state["step"]!;
        Assert.Equal("failed", (string?)state["status"]);
        Assert.StartsWith($"the loss is NaN at step {step + 1}: the weight 'model.embed_tokens.weight' ", (string?)state["reason"], StringComparison.Ordinal);
        Assert.StartsWith($"error: the loss is NaN at step {step + 1}: ", string.Join('\n', run.Error.Split('\n').SkipWhile(l => l.StartsWith("step", StringComparison.Ordinal))), StringComparison.Ordinal);
        Assert.Equal(step, File.ReadLines(broken.In("r/events.jsonl")).Count());
        Assert.Equal(1, (await broken.Run("resume r")).Exit);
    }
}
