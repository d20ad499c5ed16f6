using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates;

namespace Apprentice.Tests.Golden;

/// <summary>The cases of golden/chat_templates: every folder in it that has a template.jinja and a cases.json.</summary>
internal sealed class ChatTemplateGoldenData
{
    private readonly JsonNode _conversations;

    private ChatTemplateGoldenData(string folder)
    {
        Folder = folder;
        _conversations = Read("conversations.json");
    }

    public string Folder { get; }

    /// <summary>The clock of the reference run.</summary>
    public static TimeProvider Clock { get; } = new FrozenClock(new DateTimeOffset(2024, 7, 26, 12, 34, 56, TimeSpan.Zero));

    public static ChatTemplateGoldenData Require() => new(GoldenData.RequireFolder("chat_templates"));

    /// <summary>The same; the calling test is skipped where the copy in use has no templates, which are third-party.</summary>
    public static ChatTemplateGoldenData RequireTemplates()
    {
        var data = Require();
        Skip.If(!data.Templates.Any(), "this copy of golden folder 'chat_templates' has no templates");
        return data;
    }

    public IEnumerable<string> Templates => Directory.GetDirectories(Folder)
        .Where(d => File.Exists(Path.Combine(d, "template.jinja")) && File.Exists(Path.Combine(d, "cases.json")))
        .Select(d => Path.GetFileName(d)!)
        .Order(StringComparer.Ordinal);

    public JsonNode Read(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!;

    public string Source(string template) => File.ReadAllText(Path.Combine(Folder, template, "template.jinja"));

    public ChatTemplate Parse(string template) => ChatTemplate.Parse(Source(template), template);

    public IEnumerable<string> Conversations => _conversations["conversations"]!.AsObject().Select(c => c.Key);

    public IReadOnlyList<JsonObject> Messages(string conversation) =>
        [.. _conversations["conversations"]![conversation]!.AsArray().Select(m => m!.DeepClone().AsObject())];

    public JsonArray? Tools(string? name) => name is null ? null : _conversations["tools"]![name]!.DeepClone().AsArray();

    public IEnumerable<JsonNode> Cases(string template) => Read(Path.Combine(template, "cases.json"))["cases"]!.AsArray().Select(c => c!);

    public IReadOnlyDictionary<string, string?> SpecialTokens(string template) =>
        Read(Path.Combine(template, "cases.json"))["special_tokens"]!.AsObject().ToDictionary(t => t.Key, t => (string?)t.Value);

    public ChatTemplateOptions Options(JsonNode golden, IReadOnlyDictionary<string, string?> specialTokens) => new()
    {
        AddGenerationPrompt = (bool)golden["add_generation_prompt"]!,
        ContinueFinalMessage = (bool?)golden["kwargs"]!["continue_final_message"] ?? false,
        Tools = Tools((string?)golden["tools"]),
        SpecialTokens = specialTokens,
        Variables = golden["kwargs"]!.AsObject()
            .Where(k => k.Key is not ("continue_final_message" or "return_assistant_tokens_mask"))
            .ToDictionary(k => k.Key, k => k.Value),
        Clock = Clock,
    };

    /// <summary>Code points before a UTF-16 index, which is how the reference counts.</summary>
    public static int CodePoints(string text, int utf16) => text[..utf16].EnumerateRunes().Count();

    private sealed class FrozenClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
