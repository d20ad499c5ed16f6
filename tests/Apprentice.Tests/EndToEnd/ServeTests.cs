using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Apprentice.Tests.EndToEnd;

/// <summary><c>serve</c> as a process: what it prints, how it is asked, how it ends.</summary>
public sealed class ServeTests
{
    [SkippableFact]
    public async Task It_says_where_it_listens_answers_and_ends_well_when_it_is_told_to()
    {
        using var place = new Workplace();
        using var serve = place.Start("serve m other=m --urls http://127.0.0.1:0 --json");
        var listening = JsonDocument.Parse(await serve.LineAsync(l => l.StartsWith("{\"urls\"", StringComparison.Ordinal))).RootElement;
        Assert.Equal(["m", "other"], listening.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("id").GetString()));
        Assert.False(listening.GetProperty("requires_key").GetBoolean());

        using var client = new HttpClient { BaseAddress = new Uri(listening.GetProperty("urls")[0].GetString()!) };
        using var response = await client.PostAsJsonAsync("/v1/chat/completions", new { model = "other", messages = new[] { new { role = "user", content = "a very secret word" } }, max_tokens = 4 });
        Assert.True(response.IsSuccessStatusCode);
        serve.Terminate();
        var result = await serve.WaitAsync();
        Assert.Equal(0, result.Exit);
        Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("\"Model\":\"other\"", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Prompts_and_answers_are_logged_where_that_is_asked_for()
    {
        using var place = new Workplace();
        using var serve = place.Start("serve m --urls http://127.0.0.1:0 --log-prompts");
        var line = await serve.LineAsync(l => l.Contains("http://127.0.0.1:", StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Trim()) };
        await client.PostAsync("chat/completions", new StringContent("{}", Encoding.UTF8, "application/json"));
        using var response = await client.PostAsJsonAsync("/v1/chat/completions", new { model = "m", messages = new[] { new { role = "user", content = "a very secret word\n\e[31m" } }, max_tokens = 4 });
        Assert.True(response.IsSuccessStatusCode);
        await serve.LineAsync(l => l.Contains("a very secret word\\n\\u001B[31m", StringComparison.Ordinal));
        serve.Terminate();
        Assert.Equal(0, (await serve.WaitAsync()).Exit);
    }

    [SkippableFact]
    public async Task Killed_and_started_again_it_knows_its_keys_and_models()
    {
        using var place = new Workplace();
        await place.Done("models add m --name mine");
        var secrets = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            using var serve = place.Start("serve mine --urls http://127.0.0.1:0 --json");
            var listening = JsonDocument.Parse(await serve.LineAsync(l => l.StartsWith("{\"urls\"", StringComparison.Ordinal))).RootElement;
            using var client = new HttpClient { BaseAddress = new Uri(listening.GetProperty("urls")[0].GetString()!) };
            secrets.Add((await place.Done($"keys add k{round}")).GetProperty("secret").GetString()!);
            foreach (var secret in secrets)
            {
                client.DefaultRequestHeaders.Authorization = new("Bearer", secret);
                Assert.Contains("mine", await client.GetStringAsync("/v1/models"), StringComparison.Ordinal);
            }

            using var changing = place.Start($"keys add late{round}");
            var answer = client.PostAsJsonAsync("/v1/chat/completions", new { model = "mine", messages = new[] { new { role = "user", content = "x" } }, max_tokens = 200 });
            serve.Kill();
            await Record.ExceptionAsync(() => answer); // cut, or just in time
            Assert.Equal(0, (await changing.WaitAsync()).Exit);
        }

        Assert.Equal(6, (await place.Done("keys list")).GetProperty("keys").GetArrayLength());
    }

    [Theory]
    [InlineData("serve nothing-here", "nothing-here")]
    [InlineData("serve a=m a=m", "'a'")]
    [InlineData("serve m --urls http://0.0.0.0:0", "apprentice keys add")]
    [InlineData("serve m --urls ftp://127.0.0.1", "--urls")]
    [InlineData("serve m --parallel 0", "--parallel")]
    public async Task A_mistake_is_told_in_a_sentence(string command, string named)
    {
        using var place = new Workplace();
        var result = await place.Run(command);
        Assert.Equal((2, ""), (result.Exit, result.Output));
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
