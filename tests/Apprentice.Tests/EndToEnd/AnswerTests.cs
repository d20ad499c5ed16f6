using System.Text.Json.Nodes;

namespace Apprentice.Tests.EndToEnd;

/// <summary>generate and tokenize, on the tiny model untrained.</summary>
[Trait("Category", "EndToEnd")]
public sealed class AnswerTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task Answers_are_the_same_each_time_and_for_a_seed()
    {
        var greedy = await work.Done("generate --model m --max-tokens 8 --prompt", "the card");
        Assert.Equal(8, greedy.GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", greedy.GetProperty("finish_reason").GetString());
        Assert.True(greedy.GetProperty("prompt_tokens").GetInt32() > 8 && greedy.GetProperty("prompt_tokens_per_second").GetDouble() > 0 && greedy.GetProperty("tokens_per_second").GetDouble() > 0);
        var text = greedy.GetProperty("text").GetString()!;
        Assert.Equal(text, (await work.Done("generate --model m --max-tokens 8 --threads 1 --prompt", "the card")).GetProperty("text").GetString());
        Assert.Equal(text + "\n", (await work.Run("generate --model m --max-tokens 8 --prompt", "the card")).Output);

        const string Sampled = "generate --model m --max-tokens 8 --temperature 1 --prompt x --seed ";
        var (one, again, other) = (await work.Done(Sampled + 1), await work.Done(Sampled + 1), await work.Done(Sampled + 2));
        Assert.Equal(one.GetProperty("text").GetString(), again.GetProperty("text").GetString());
        Assert.NotEqual(one.GetProperty("text").GetString(), other.GetProperty("text").GetString());

        var stop = text[3..4];
        var stopped = await work.Done("generate --model m --max-tokens 8 --prompt", "the card", "--stop", stop);
        Assert.Equal((text[..text.IndexOf(stop, StringComparison.Ordinal)], "stop"), (stopped.GetProperty("text").GetString(), stopped.GetProperty("finish_reason").GetString()));
    }

    [Fact]
    public async Task Evaluate_measures_what_the_recipe_says_else_exact_match()
    {
        await work.Done("train --model m --data bank.jsonl --out r --metric contains --max-steps 1 --validation none");
        foreach (var (model, metric) in new[] { ("r", "contains"), ("m", "exact_match") })
        {
            var metrics = (await work.Done($"evaluate --model {model} --data bank.jsonl --max-tokens 1")).GetProperty("metrics");
            Assert.Equal(metric, metrics.EnumerateObject().Single().Name);
        }
    }

    [Fact]
    public async Task A_run_is_judged_on_what_it_kept_and_with_the_system_message_it_was_trained_with()
    {
        await work.Done("train --model m --data bank.jsonl --out r --test 3 --validation none --max-steps 1 --system", "Sort.");
        Assert.Equal(3, (await work.Done("evaluate --model r --metric contains --max-tokens 1 --out a.jsonl")).GetProperty("examples").GetInt32());
        var kept = File.ReadLines(work.In("a.jsonl")).Select(line => (string)JsonNode.Parse(line)!["prompt"]!).ToArray();
        Assert.All(kept, prompt => Assert.Contains(Workplace.Bank, b => b.Prompt == prompt));

        async Task<int> PromptTokens(params string[] system) => (await work.Done("generate --model r --max-tokens 1 --prompt x", system)).GetProperty("prompt_tokens").GetInt32();
        Assert.Equal(await PromptTokens("--system", "Sort."), await PromptTokens());
        Assert.NotEqual(await PromptTokens("--system", "Sort them all."), await PromptTokens());

        File.AppendAllText(work.In("bank.jsonl"), "\n" + """{"prompt": "one more", "completion": "label"}""");
        Assert.Contains("the data is not what it was", await work.Refused("evaluate --model r"), StringComparison.Ordinal);

        File.Copy(work.In("a.jsonl"), work.In("broken.jsonl")); // no examples
        Assert.Contains("broken.jsonl", await work.Refused("train --model m --data bank.jsonl --out r2 --test broken.jsonl"), StringComparison.Ordinal);
        Assert.Contains("nothing to judge by", await work.Refused("evaluate --model m"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_threads_are_as_many_as_there_are_and_fewer_are_refused()
    {
        await work.Done("generate --model m --max-tokens 1 --threads 0 --prompt x");
        Assert.Contains("at least 0", await work.Refused("generate --model m --max-tokens 1 --prompt x --threads -1"), StringComparison.Ordinal);
        Assert.Contains("at least 0", await work.Refused("quickstart --model m --seed -1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_raw_prompt_goes_without_the_template_and_may_be_empty()
    {
        Assert.Equal(4, (await work.Done("generate --model m --max-tokens 1 --raw --prompt abcd")).GetProperty("prompt_tokens").GetInt32()); // <|end|> ab c d
        Assert.Equal(1, (await work.Done("generate --model m --max-tokens 1 --raw --prompt", "")).GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task A_file_of_prompts_gives_each_the_answer_that_it_has_alone()
    {
        var prompts = Workplace.Bank.Select(b => b.Prompt).ToArray();
        File.WriteAllLines(work.In("p.txt"), prompts);
        var all = await work.Done("generate --model m --max-tokens 5 --prompts p.txt --out a.jsonl");
        var answers = all.GetProperty("answers").EnumerateArray().ToArray();
        Assert.Equal(prompts, answers.Select(a => a.GetProperty("prompt").GetString()));
        Assert.Equal(prompts.Length, File.ReadLines(work.In("a.jsonl")).Count());
        var alone = await work.Done("generate --model m --max-tokens 5 --prompt", prompts[2]);
        Assert.Equal(alone.GetProperty("text").GetString(), answers[2].GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_folder_and_a_GGUF_file_of_the_same_weights_answer_alike()
    {
        File.WriteAllBytes(work.In("m.gguf"), TinyModel.Gguf());
        var folder = await work.Done("generate --model m --max-tokens 8 --prompt", "the card");
        var gguf = await work.Done("generate --model m.gguf --max-tokens 8 --prompt", "the card");
        Assert.Equal(folder.GetProperty("text").GetString(), gguf.GetProperty("text").GetString());

        await work.Done("train --model m.gguf --data bank.jsonl --out r --method full --max-steps 1"); // a step at rate 0
        var trained = await work.Done("generate --model r --max-tokens 8 --prompt", "the card");
        Assert.Equal(folder.GetProperty("text").GetString(), trained.GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_run_shows_how_its_model_reads_text()
    {
        await work.Done("train --model m --data bank.jsonl --out r --max-steps 1 --rank 2");
        var json = await work.Done("tokenize --model r --text", "the card");
        Assert.Equal(["<|end|>", "the", "Ġ", "c", "a", "r", "d"], json.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal(7, json.GetProperty("ids").GetArrayLength());
        File.WriteAllText(work.In("c.json"), """[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]""");
        var chat = await work.Done("tokenize --model r --messages c.json");
        Assert.Equal("[user]\na<|end|>\n[assistant]\nb<|end|>\n", chat.GetProperty("text").GetString());
        Assert.Equal(3, chat.GetProperty("supervised").EnumerateArray().Count(s => s.GetBoolean()));
    }
}
