using System.Text.Json.Nodes;

namespace Apprentice.Data.ChatTemplates;

/// <summary>
/// Models' templates disagree on what a message's reasoning is called. As transformers does since 5.x, whichever of
/// reasoning_content, thinking and reasoning a message has is given to the template under the first two names.
/// </summary>
internal static class Reasoning
{
    public static JsonObject Spread(JsonObject message)
    {
        var reasoning = message["reasoning_content"] ?? message["thinking"] ?? message["reasoning"];
        if (reasoning is null)
        {
            return message;
        }

        var result = new JsonObject { ["thinking"] = reasoning.DeepClone() };
        foreach (var (key, value) in message.Where(m => m.Key != "thinking"))
        {
            result[key] = value?.DeepClone();
        }

        result["reasoning_content"] = reasoning.DeepClone();
        return result;
    }
}
