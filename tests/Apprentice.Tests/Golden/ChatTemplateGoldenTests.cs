using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.ChatTemplates;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Every template over every conversation, and every feature of Jinja, against what transformers and jinja2 made of them.</summary>
[Trait("Category", "Golden")]
public class ChatTemplateGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void TemplatesRenderAsInTransformers()
    {
        var data = ChatTemplateGoldenData.RequireTemplates();
        var failures = new List<string>();
        var passed = 0;
        foreach (var name in data.Templates)
        {
            var template = data.Parse(name);
            var specialTokens = data.SpecialTokens(name);
            foreach (var golden in data.Cases(name))
            {
                var options = data.Options(golden, specialTokens);
                var actual = Outcome(() => template.RenderText(data.Messages((string)golden["conversation"]!), options));
                if (Mismatch(golden, "rendered", actual) is { } mismatch)
                {
                    failures.Add($"{name} {golden["id"]} ({golden["conversation"]}): {mismatch}");
                }
                else
                {
                    passed++;
                }
            }
        }

        Report(passed, failures);
    }

    [SkippableFact]
    public void JinjaFeaturesAreAsInJinja2()
    {
        var data = ChatTemplateGoldenData.Require();
        var golden = data.Read(Path.Combine("jinja_features", "features.json"));
        var context = golden["context"]!.AsObject().ToDictionary(v => v.Key, v => v.Value);
        var failures = new List<string>();
        var passed = 0;
        foreach (var feature in golden["cases"]!.AsArray())
        {
            var source = (string)feature!["template"]!;
            var actual = Outcome(() => ChatTemplate.Parse(source).RenderVariables(context, ChatTemplateGoldenData.Clock));
            if (Mismatch(feature, "expected", actual) is { } mismatch)
            {
                failures.Add($"feature {feature["id"]} {source}: {mismatch}");
            }
            else
            {
                passed++;
            }
        }

        Report(passed, failures);
    }

    private static (string? Text, InputException? Error) Outcome(Func<string> render)
    {
        try
        {
            return (render(), null);
        }
        catch (InputException e)
        {
            return (null, e);
        }
    }

    /// <summary>Null where the outcome is the reference's; of Python's own errors only that they happen is compared.</summary>
    private static string? Mismatch(JsonNode golden, string field, (string? Text, InputException? Error) actual)
    {
        if ((bool?)golden["any"] == true)
        {
            return actual.Error is null ? null : $"should render, got {actual.Error.Code} {actual.Error.Message}";
        }

        if (golden["error"] is null)
        {
            var expected = (string)golden[field]!;
            return actual.Text == expected ? null : $"\n  expected {Show(expected)}\n  actual   {(actual.Text is null ? actual.Error!.Code + " " + actual.Error.Message : Show(actual.Text))}";
        }

        var (error, message) = ((string)golden["error"]!, (string)golden["message"]!);
        if (actual.Error is not { } raised)
        {
            return $"\n  expected {error} {message}\n  actual   {Show(actual.Text!)}";
        }

        string? code = error switch
        {
            "TemplateError" => "template_raised",
            "UndefinedError" => "template_undefined",
            "TemplateSyntaxError" or "TemplateAssertionError" => "template_syntax",
            "SecurityError" => "template_security",
            _ => null,
        };
        return code is null ? null
            : raised.Code == code && raised.Message == message && raised.Line > 0 ? null
            : $"\n  expected {code} {message}\n  actual   {raised.Code} {raised.Message} (line {raised.Line})";
    }

    private static string Show(string text) => JsonValue.Create(text).ToJsonString();

    private void Report(int passed, List<string> failures)
    {
        output.WriteLine($"{passed} cases passed, {failures.Count} failed, 0 skipped");
        Assert.True(failures.Count == 0 && passed > 0, $"{failures.Count} of {passed + failures.Count} cases differ:\n" + string.Join("\n", failures.Take(40)));
    }
}
