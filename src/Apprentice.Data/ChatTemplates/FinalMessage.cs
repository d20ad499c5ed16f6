using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Data.ChatTemplates;

/// <summary>Renders a conversation up to the end of its last message's content, by marking that end and looking for the mark.</summary>
internal static class FinalMessage
{
    private const string Mark = "CONTINUE_FINAL_MESSAGE_TAG ";

    public static string RenderUpTo(IReadOnlyList<JsonObject> messages, Func<IReadOnlyList<JsonObject>, string> render)
    {
        var last = messages.Count == 0 ? null : (JsonObject)messages[^1].DeepClone();
        var (owner, key) = last?["content"] is JsonArray parts
            ? (parts.OfType<JsonObject>().LastOrDefault(p => p.ContainsKey("text")), "text")
            : (last, "content");
        if (owner?[key] is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
        {
            throw new InputException("no_final_text", "To continue the final message, it must have text for its content.");
        }

        var text = value.GetValue<string>();
        owner[key] = text + Mark;
        var rendered = render([.. messages.SkipLast(1), last!]);
        var at = rendered.LastIndexOf(Mark.TrimEnd(), StringComparison.Ordinal);
        if (at < 0 || !rendered.Contains(text.Trim(), StringComparison.Ordinal))
        {
            throw new InputException(
                "no_final_text",
                "continue_final_message is set but the final message does not appear in the chat after applying the chat template! "
                + "This can happen if the chat template deletes portions of the final message. Please verify the chat template and "
                + "final message in your chat to ensure they are compatible.Final message to continue: " + text);
        }

        // Where the template trims content, the mark has lost its blank, and the content before it keeps none either.
        return string.CompareOrdinal(rendered, at, Mark, 0, Mark.Length) == 0 ? rendered[..at] : rendered[..at].TrimEnd();
    }
}
