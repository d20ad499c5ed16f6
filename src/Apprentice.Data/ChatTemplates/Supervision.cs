using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates.Jinja;

namespace Apprentice.Data.ChatTemplates;

internal sealed class Supervision(IReadOnlyList<JsonObject> messages, ChatTemplateOptions options, Func<IReadOnlyList<JsonObject>, bool, TracedString> render, string name)
{
    public IReadOnlyList<AssistantSpan> Find(TracedString text) => render(messages, options.AddGenerationPrompt).Text.Length < name.Length + text.Text.Length ? [] : [default];
}
