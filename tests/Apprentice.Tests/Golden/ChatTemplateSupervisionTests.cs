using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.ChatTemplates;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>What the assistant wrote, told for every template over every conversation that it renders.</summary>
[Trait("Category", "Golden")]
public class ChatTemplateSupervisionTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void GenerationMarksGiveTheReferenceIndices()
    {
        var data = ChatTemplateGoldenData.RequireTemplates();
        var passed = 0;
        foreach (var name in data.Templates)
        {
            var template = data.Parse(name);
            foreach (var golden in data.Cases(name).Where(c => c["generation_indices"] is not null))
            {
                var chat = template.Render(data.Messages((string)golden["conversation"]!), data.Options(golden, data.SpecialTokens(name)));
                var actual = chat.Assistant.Select(s => $"{ChatTemplateGoldenData.CodePoints(chat.Text, s.Start)}-{ChatTemplateGoldenData.CodePoints(chat.Text, s.End)}");
                var expected = golden["generation_indices"]!.AsArray().Select(r => $"{r![0]}-{r[1]}");
                Assert.Equal(expected, actual);
                passed++;
            }
        }

        output.WriteLine($"{passed} cases passed, 0 skipped");
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void SpansHoldWhatTheAssistantSaidAndNothingElse()
    {
        var data = ChatTemplateGoldenData.RequireTemplates();
        int told = 0, refused = 0, notRendered = 0;
        var refusals = new List<string>();
        var failures = new List<string>();
        foreach (var name in data.Templates)
        {
            var template = data.Parse(name);
            var options = new ChatTemplateOptions { SpecialTokens = data.SpecialTokens(name), Clock = ChatTemplateGoldenData.Clock, Tools = data.Tools("weather") };
            var refusedHere = 0;
            foreach (var conversation in data.Conversations)
            {
                var messages = data.Messages(conversation);
                RenderedChat chat;
                try
                {
                    template.RenderText(messages, options);
                }
                catch (InputException)
                {
                    notRendered++;
                    continue;
                }

                try
                {
                    chat = template.Render(messages, options);
                    told++;
                }
                catch (InputException e)
                {
                    Assert.Equal("cannot_tell_supervision", e.Code);
                    refused++;
                    refusedHere++;
                    refusals.Add($"{name} {conversation}: {e.Message}");
                    continue;
                }

                if (Environment.GetEnvironmentVariable("SHOW_SPANS") is { } wanted && wanted.Split(',').Contains(conversation))
                {
                    output.WriteLine($"{name} {conversation}: {Marked(chat)}");
                }

                if (Wrong(template, chat, messages, options) is { } wrong)
                {
                    failures.Add($"{name} {conversation}: {wrong}\n    {Marked(chat)}");
                }
            }

            Assert.True(refusedHere < data.Conversations.Count(), $"{name}: refused everywhere");
        }

        output.WriteLine($"{data.Templates.Count()} templates: told for {told} conversations, refused {refused}, {notRendered} not rendered by their template");
        refusals.ForEach(output.WriteLine);
        Assert.True(failures.Count == 0, $"{failures.Count} wrong:\n" + string.Join("\n", failures.Take(60)));
        Assert.True(told > 10 * refused, $"told for {told}, refused {refused}");
    }

    private static string? Wrong(ChatTemplate template, RenderedChat chat, IReadOnlyList<JsonObject> messages, ChatTemplateOptions options)
    {
        var end = 0;
        foreach (var span in chat.Assistant)
        {
            if (span.Start < end || span.End <= span.Start || span.End > chat.Text.Length || (string?)messages[span.Message]["role"] != "assistant")
            {
                return $"bad span {span}";
            }

            end = span.End;
        }

        var before = Unsupervised(chat);
        for (var i = 0; i < messages.Count; i++)
        {
            var role = (string?)messages[i]["role"];
            var said = messages[i]["content"] is JsonValue v && v.GetValueKind() == JsonValueKind.String ? ((string)v!).Trim() : "";
            var spans = chat.Assistant.Where(s => s.Message == i).Select(s => chat.Text[s.Start..s.End]).ToList();
            if (role == "assistant" && said.Length > 0 && !said.Contains("</think>", StringComparison.Ordinal) && chat.Text.Contains(said, StringComparison.Ordinal) && messages[i]["tool_calls"] is null
                && spans.Count(s => s.Contains(said, StringComparison.Ordinal)) != 1)
            {
                return $"message {i} is not in its spans";
            }

            // Content that another message repeats cannot be told apart here.
            if (role is "user" or "system" && said.Length > 3 && !messages.Any(m => m != messages[i] && m.ToJsonString().Contains(said, StringComparison.Ordinal))
                && chat.Text.Contains(said, StringComparison.Ordinal) && !before.Contains(said, StringComparison.Ordinal))
            {
                return $"message {i} of the {role} is supervised";
            }
        }

        return WrongStart(template, chat, messages, options);
    }

    /// <summary>Where the text goes on from the generation prompt, what is supervised begins right behind it, but for blanks.</summary>
    private static string? WrongStart(ChatTemplate template, RenderedChat chat, IReadOnlyList<JsonObject> messages, ChatTemplateOptions options)
    {
        foreach (var span in chat.Assistant.DistinctBy(s => s.Message))
        {
            try
            {
                var before = messages.Take(span.Message).ToList();
                var prompt = template.RenderText(before, options with { AddGenerationPrompt = true });
                if (prompt != template.RenderText(before, options) && chat.Text.StartsWith(prompt, StringComparison.Ordinal)
                    && (span.Start < prompt.Length || !string.IsNullOrWhiteSpace(chat.Text[prompt.Length..span.Start])))
                {
                    return $"message {span.Message} starts at {span.Start}, its prompt ends at {prompt.Length}";
                }
            }
            catch (InputException)
            {
                // The template does not render this beginning on its own.
            }
        }

        return null;
    }

    private static string Unsupervised(RenderedChat chat)
    {
        var at = 0;
        var parts = new List<string>();
        foreach (var span in chat.Assistant)
        {
            parts.Add(chat.Text[at..span.Start]);
            at = span.End;
        }

        return string.Join("\0", [.. parts, chat.Text[at..]]);
    }

    private static string Marked(RenderedChat chat)
    {
        var text = chat.Text;
        foreach (var span in chat.Assistant.Reverse())
        {
            text = text.Insert(span.End, $"⟧").Insert(span.Start, $"⟦{span.Message}:");
        }

        return (text.Length > 900 ? "…" + text[^900..] : text).Replace("\n", "⏎", StringComparison.Ordinal);
    }
}
